import NIOCore
import Testing

@testable import RPC

@Suite struct ReceiveAllocatorTests {
    @Test func buffersGrowOnceOneWasFull() {
        var allocator = ReceiveAllocator(largeBytes: 128 << 10)
        #expect(allocator.nextBufferSize() == ReceiveAllocator.smallBytes)
        let grewByLittle = allocator.record(actualReadBytes: 100)
        #expect(!grewByLittle)
        #expect(allocator.buffer(allocator: ByteBufferAllocator()).capacity == ReceiveAllocator.smallBytes)
        let grew = allocator.record(actualReadBytes: ReceiveAllocator.smallBytes)
        #expect(grew)
        #expect(allocator.nextBufferSize() == 128 << 10)
        let grewAgain = allocator.record(actualReadBytes: 128 << 10)
        #expect(!grewAgain)
        #expect(allocator.nextBufferSize() == 128 << 10)
    }
}
