public import NIOCore
import Synchronization

/// Lets so many lines of one cause through to the log in a second, and counts the others.
struct LineGate {
    /// Of each cause.
    static let linesPerSecond = 10

    private var second: UInt64 = 0
    private var passed = 0
    private var skipped = 0

    /// - Parameter now: nanoseconds of a monotonic clock.
    /// - Returns: how many were held back before this one; nil: this one is.
    mutating func pass(at now: UInt64) -> Int? {
        let current = now / 1_000_000_000
        if current != second { (second, passed) = (current, 0) }
        guard passed < Self.linesPerSecond else {
            skipped += 1
            return nil
        }
        passed += 1
        defer { skipped = 0 }
        return skipped
    }
}

/// The gates of several causes. What repeats itself, frame by frame or call by call, is logged through them; the line says
/// as `skipped` how many were left out before it.
public final class LineGates: Sendable {
    /// Causes that are told apart; beyond them all others count as one.
    private static let maxCauses = 1024
    private static let others = "others"

    private let gates = Mutex<[String: LineGate]>([:])

    public init() {}

    /// - Parameter cause: a word of ours, such as a code or a route.
    /// - Returns: how many lines were held back before this one; nil: it is held back.
    public func pass(_ cause: String, at now: NIODeadline = .now()) -> Int? {
        gates.withLock { gates in
            let isKnown = gates[cause] != nil || gates.count < Self.maxCauses
            return gates[isKnown ? cause : Self.others, default: LineGate()].pass(at: now.uptimeNanoseconds)
        }
    }

    /// Numbers that gRPC does not have count as UNKNOWN.
    public func pass(_ code: StatusCode, at now: NIODeadline = .now()) -> Int? {
        pass("\((0...16).contains(code.rawValue) ? code : .unknown)", at: now)
    }
}
