import ChaosFrame
import Messages
import NIOCore
import Synchronization

/// A frame that was sent, as long as it is unanswered.
struct Sent: Sendable {
    var planned: NIODeadline
    var truth: String
}

/// The unanswered frames of one stream, by number.
final class Unanswered: Sendable {
    private let frames = Mutex<[UInt64: Sent]>([:])

    func add(_ number: UInt64, _ sent: Sent) { frames.withLock { $0[number] = sent } }

    /// nil: it was not sent, or is answered.
    func take(_ number: UInt64) -> Sent? { frames.withLock { $0.removeValue(forKey: number) } }

    func takeAll() -> [(number: UInt64, sent: Sent)] {
        frames.withLock { frames in
            defer { frames = [:] }
            return frames.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
    }
}
