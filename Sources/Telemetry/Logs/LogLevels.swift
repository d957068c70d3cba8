public import Logging
import Synchronization

/// What a process logs, this level and above. It may change while the process runs.
public final class LogLevels: Sendable {
    private static let all = Logger.Level.allCases
    private let index: Atomic<Int>

    public init(_ level: Logger.Level) {
        index = Atomic(Self.all.firstIndex(of: level) ?? 0)
    }

    public var current: Logger.Level { Self.all[index.load(ordering: .relaxed)] }

    /// One more or one less; the most is `trace`, the least `critical`.
    public func change(toMore isMore: Bool) {
        var old = index.load(ordering: .relaxed)
        while true {
            let new = min(max(0, old + (isMore ? -1 : 1)), Self.all.count - 1)
            let (isDone, found) = index.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if isDone { return }
            old = found
        }
    }
}
