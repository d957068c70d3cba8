import NIOCore

/// How much of one connection is read at once: a block of the `BufferPool`, large as long as what comes in it is quickly dealt
/// with. Large messages are a copy; as many bytes of small ones take a hundred times as long, and the other connections
/// of the loop wait. A value.
struct ReadSize {
    /// A read that takes longer is followed by smaller ones, and one that takes a quarter of it by larger ones.
    static let longestTurn = TimeAmount.milliseconds(1)
    static let least = 16 << 10

    private let most: Int
    private var block: Int

    /// - Parameter most: bytes of the block, a power of two.
    init(most: Int) { (self.most, block) = (most, most) }

    /// What a block of the pool has room for.
    var bytes: Int { block - MemoryBlock.headerBytes }

    /// - Parameters:
    ///   - read: bytes that came.
    ///   - time: from the read until all of them were dealt with.
    mutating func took(_ read: Int, in time: TimeAmount) {
        if time > Self.longestTurn {
            block = max(block / 2, min(Self.least, most))
        } else if read >= bytes, time < .nanoseconds(Self.longestTurn.nanoseconds / 4) {
            block = min(block * 2, most)
        }
    }
}
