/// Blocks of memory that wait to be used again, by size. A value; it frees nothing, but says what is to be freed.
struct IdleBlocks {
    private struct List {
        var first: MemoryBlock?
        var lastUse: UInt64 = 0
    }

    var limit: Int
    private(set) var bytes = 0
    private var lists = [List](repeating: List(), count: BlockSize.count)
    /// Counts the uses, so that sizes out of use are found.
    private var uses: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    /// The block of this size that was used last, since its bytes are the likeliest to be in a cache.
    mutating func take(_ size: BlockSize) -> MemoryBlock? {
        touch(size)
        guard let block = lists[size.index].first else { return nil }
        lists[size.index].first = block.next
        bytes -= size.bytes
        return block
    }

    mutating func add(_ block: MemoryBlock) {
        let size = block.size
        touch(size)
        block.next = lists[size.index].first
        lists[size.index].first = block
        bytes += size.bytes
    }

    private mutating func touch(_ size: BlockSize) {
        uses += 1
        lists[size.index].lastUse = uses
    }

    /// Takes out what is over the limit, sizes first that were not used for longest.
    /// - Returns: a chain of blocks to be freed.
    mutating func evict() -> MemoryBlock? {
        var chain: MemoryBlock?
        while bytes > limit, let oldest = oldestSize, let block = lists[oldest.index].first {
            lists[oldest.index].first = block.next
            bytes -= oldest.bytes
            block.next = chain
            chain = block
        }
        return chain
    }

    private var oldestSize: BlockSize? {
        lists.indices.filter { lists[$0].first != nil }.min { lists[$0].lastUse < lists[$1].lastUse }
            .map { BlockSize(index: $0) }
    }
}
