import NIOCore
import Testing

@testable import RPC

@Suite struct BufferPoolTests {
    @Test func sizesAreRoundedUpByAnEighthAtMost() {
        for bytes in [1, 4096, 4097, 4608, 4609, 8192, 8193, 100_000, 2_764_864, 6_220_864, 64 << 20, (1 << 32) + 64] {
            let size = BlockSize(fitting: bytes)
            #expect(size.bytes >= bytes)
            #expect(size.bytes <= max(4096, bytes + bytes / 8 + 1))
            #expect(BlockSize(fitting: size.bytes) == size)
            #expect(size.index < BlockSize.count)
        }
    }

    @Test func sizesGrowWithTheirIndex() {
        for index in 1..<BlockSize.count {
            #expect(BlockSize(index: index).bytes > BlockSize(index: index - 1).bytes)
            #expect(BlockSize(fitting: BlockSize(index: index - 1).bytes + 1).index == index)
        }
    }

    @Test func aBlockThatWasGivenBackIsUsedAgain() throws {
        let pool = BufferPool(idleLimit: 1 << 20)
        let block = try #require(pool.take(capacity: 100_000))
        let address = unsafe UInt(bitPattern: block.bytes)
        #expect(address % 64 == 0)
        #expect(pool.idleBytes == 0)
        pool.giveBack(block)
        #expect(pool.idleBytes == block.size.bytes)
        let again = try #require(pool.take(capacity: 99_000))
        #expect(unsafe UInt(bitPattern: again.bytes) == address)
        #expect(pool.idleBytes == 0)
        pool.giveBack(again)
        pool.trim()
        #expect(pool.idleBytes == 0)
    }

    @Test func idleMemoryStaysUnderItsLimit() {
        let pool = BufferPool(idleLimit: 1 << 20)
        for block in (0..<50).compactMap({ _ in pool.take(capacity: 100_000) }) { pool.giveBack(block) }
        #expect(pool.idleBytes <= 1 << 20)
        #expect(pool.idleBytes >= 900_000)
        pool.idleLimit = 300_000
        #expect(pool.idleBytes <= 300_000)
    }

    @Test func sizesOutOfUseMakeRoomForOthers() throws {
        let pool = BufferPool(idleLimit: 1 << 20)
        for block in (0..<9).compactMap({ _ in pool.take(capacity: 100_000) }) { pool.giveBack(block) }
        let large = try #require(pool.take(capacity: 900_000))
        let address = unsafe UInt(bitPattern: large.bytes)
        pool.giveBack(large)
        #expect(pool.idleBytes <= 1 << 20)
        let again = try #require(pool.take(capacity: 900_000))
        #expect(unsafe UInt(bitPattern: again.bytes) == address)
        pool.giveBack(again)
    }

    @Test func aPooledBufferBehavesAsAnyOther() {
        var buffer = BufferPool.shared.buffer(capacity: 5000)
        #expect(buffer.readableBytes == 0)
        #expect(buffer.writableBytes == 5000)
        buffer.writeRepeatingByte(1, count: 5000)
        unsafe buffer.withUnsafeReadableBytes { #expect(unsafe UInt(bitPattern: $0.baseAddress) % 64 == 0) }
        var copy = buffer
        copy.writeRepeatingByte(2, count: 5000)
        #expect(buffer == ByteBuffer(repeating: 1, count: 5000))
        #expect(copy.readSlice(length: 5000) == buffer)
        #expect(copy == ByteBuffer(repeating: 2, count: 5000))
    }
}
