import Synchronization

/// Walks through the pictures of a stream, each with its number.
final class PictureCursor: Sendable {
    private let sources: [PictureSource]
    private let next = Mutex(0)

    init(_ sources: [PictureSource]) { self.sources = sources }

    func advance() -> (sequence: UInt64, source: PictureSource)? {
        let index = next.withLock { next in
            defer { if next < sources.count { next += 1 } }
            return next
        }
        return index < sources.count ? (UInt64(index), sources[index]) : nil
    }
}
