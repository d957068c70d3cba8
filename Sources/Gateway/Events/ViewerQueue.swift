import DequeModule
import NIOCore

/// What waits for one viewer.
struct ViewerQueue: Sendable {
    /// What becomes of a viewer that is slower than its source.
    enum Rule: Sendable, Hashable {
        /// It gets each piece; who is behind by more is dropped.
        case each(events: Int, bytes: Int)
        /// It gets the newest piece when it is ready for one; who takes none for so long while there are some is dropped.
        case newest(stall: Duration)
    }

    struct Piece: Sendable {
        /// nil: of no number, not to be left out.
        var id: UInt64?
        var bytes: ByteBuffer
    }

    private let rule: Rule
    private var pieces = Deque<Piece>()
    private var byteCount = 0
    /// When the oldest of `pieces`, or a newer one in its place, began to wait.
    private var waitingSince: ContinuousClock.Instant?

    init(_ rule: Rule) { self.rule = rule }

    /// - Returns: false if the viewer is too slow.
    mutating func offer(_ piece: Piece, now: ContinuousClock.Instant) -> Bool {
        let since = waitingSince ?? now
        waitingSince = since
        switch rule {
        case .each(let events, let bytes):
            // One piece may always wait, whatever its size.
            guard pieces.isEmpty || pieces.count < events && byteCount + piece.bytes.readableBytes <= bytes else {
                return false
            }
            byteCount += piece.bytes.readableBytes
        case .newest(let stall):
            guard now - since < stall else { return false }
            pieces.removeAll()
        }
        pieces.append(piece)
        return true
    }

    /// All that waits.
    mutating func take() -> [Piece] {
        defer { self = ViewerQueue(rule) }
        return Array(pieces)
    }
}
