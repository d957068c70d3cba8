/// The size of a block of memory, rounded up to one of eight sizes between two powers of two, so that blocks fit
/// again: at most an eighth is not used.
struct BlockSize: Equatable {
    private static let smallest = 4096
    private static let smallestBits = 12
    private static let stepBits = 3
    /// Enough for a message whose length fills 32 bits, and its header.
    static let count = (33 - smallestBits) << stepBits + 1

    let index: Int

    init(index: Int) { self.index = index }

    init(fitting bytes: Int) {
        guard bytes > Self.smallest else {
            index = 0
            return
        }
        // bytes is in (2^bits, 2^(bits + 1)].
        let bits = Int.bitWidth - 1 - (bytes - 1).leadingZeroBitCount
        let steps = (bytes - 1 - 1 << bits) >> (bits - Self.stepBits) + 1
        index = (bits - Self.smallestBits) << Self.stepBits + steps
    }

    var bytes: Int {
        guard index > 0 else { return Self.smallest }
        let bits = (index - 1) >> Self.stepBits + Self.smallestBits
        let steps = (index - 1) & (1 << Self.stepBits - 1) + 1
        return 1 << bits + steps << (bits - Self.stepBits)
    }
}
