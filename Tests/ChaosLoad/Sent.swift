import NIOCore
import Synchronization

/// A frame that was sent, as long as it is unanswered.
struct Sent: Sendable {
    var planned: NIODeadline
    var truth: String
}

/// The frames of one stream: those that are unanswered, by number, and which one is next.
final class SentFrames: Sendable {
    private struct State {
        var unanswered: [UInt64: Sent] = [:]
        var next: UInt64 = 0
    }

    private let state = Mutex(State())

    /// How many were sent so far.
    var next: UInt64 { state.withLock { $0.next } }

    /// The next one.
    func add(_ sent: Sent) {
        state.withLock { state in
            state.unanswered[state.next] = sent
            state.next += 1
        }
    }

    /// nil: it was not sent, or is answered.
    func take(_ number: UInt64) -> Sent? { state.withLock { $0.unanswered.removeValue(forKey: number) } }

    func takeAll() -> [(number: UInt64, sent: Sent)] {
        state.withLock { state in
            defer { state.unanswered = [:] }
            return state.unanswered.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
    }
}
