import NIOCore
import Testing

@testable import RPC

@Suite struct ReceiveAllocatorTests {
    /// As NIO asks before each read, with one buffer that it uses again.
    private final class Socket {
        var room: ByteBuffer?
        private(set) var roomAsked = 0
        private var pool: NIOPooledRecvBufferAllocator?

        /// How long it took to deal with each read.
        var turnTime = TimeAmount.zero

        init(largeBlock: Int = ReceiveAllocator.largeBlock) {
            let allocator = ReceiveAllocator(largeBlock: largeBlock, turnTime: { [unowned self] in turnTime }) {
                [unowned self] in
                roomAsked += 1
                return room.take()
            }
            pool = NIOPooledRecvBufferAllocator(capacity: 1, recvAllocator: allocator)
        }

        /// - Returns: how much could be read at once, and what was.
        func read(_ bytes: Int, of byte: UInt8 = 7) -> (capacity: Int, ByteBuffer) {
            var capacity = 0
            let read = pool?.buffer(allocator: ByteBufferAllocator()) { buffer in
                capacity = buffer.writableBytes
                buffer.writeRepeatingByte(byte, count: min(bytes, capacity))
            }
            pool?.record(actualReadBytes: min(bytes, capacity))
            return (capacity, read?.0 ?? ByteBuffer())
        }
    }

    @Test(arguments: [ReceiveAllocator.largeBlock, ReceiveAllocator.largeSealedBlock])
    func readsAreLargeOnceASmallOneWasFull(_ largeBlock: Int) {
        let largeBytes = largeBlock - MemoryBlock.headerBytes
        let socket = Socket(largeBlock: largeBlock)
        #expect(socket.read(100).capacity == ReceiveAllocator.smallBytes)
        #expect(socket.read(ReceiveAllocator.smallBytes).capacity == ReceiveAllocator.smallBytes)
        #expect(socket.read(10).capacity == largeBytes)
        #expect(socket.read(10).capacity == largeBytes)
    }

    /// So that other connections of the loop need not wait for long.
    @Test func readsAreSmallerWhileTheyTakeLong() {
        func block(_ bytes: Int) -> Int { bytes - MemoryBlock.headerBytes }
        let socket = Socket()
        _ = socket.read(ReceiveAllocator.smallBytes)
        socket.turnTime = ReadSize.longestTurn + .nanoseconds(1)
        for bytes in [512, 256, 128, 64, 32, 16, 16] {
            #expect(socket.read(.max).capacity == block(bytes << 10))
        }
        // Neither too long nor short.
        socket.turnTime = ReadSize.longestTurn
        for _ in 0..<3 { #expect(socket.read(.max).capacity == block(16 << 10)) }
        socket.turnTime = .microseconds(100)
        for bytes in [32, 64, 128, 256, 512, 512] {
            #expect(socket.read(.max).capacity == block(bytes << 10))
        }
        // Larger ones are of no use where less comes.
        socket.turnTime = .milliseconds(5)
        _ = socket.read(100)
        socket.turnTime = .zero
        for _ in 0..<3 { #expect(socket.read(100).capacity == block(256 << 10)) }
    }

    /// What somebody still holds is never read into again.
    @Test func aLargeReadHasItsBytesForAsLongAsTheyAreHeld() {
        let (one, other) = (Socket(), Socket())
        for socket in [one, other] { _ = socket.read(ReceiveAllocator.smallBytes) }
        var held: [ByteBuffer] = []
        for turn in 0..<10 {
            let read = (turn % 2 == 0 ? one : other).read(100_000, of: UInt8(turn)).1
            if turn % 3 == 0 { held.append(read) }
        }
        #expect(held == stride(from: 0, to: 10, by: 3).map { ByteBuffer(repeating: UInt8($0), count: 100_000) })
    }

    @Test func aRoomIsReadIntoOnceAndThenAHeadIsExpected() throws {
        let socket = Socket()
        var first = try #require(Destination(size: 300_000))
        socket.room = first.room(upTo: 100)
        #expect(socket.read(50).capacity == ReceiveAllocator.smallBytes)
        #expect(socket.roomAsked == 0)
        for expected in [100_000, 200_000] {
            socket.room = first.room(upTo: 100_000)
            var (capacity, read) = socket.read(100_000)
            #expect(capacity == 100_000)
            first.take(from: &read)
            #expect(first.bytes.readableBytes == expected)
        }
        #expect(socket.read(.max).capacity == ReceiveAllocator.headBytes)
        #expect(socket.read(10).capacity == ReceiveAllocator.smallBytes)
        // None of these reads went to the message.
        #expect(first.bytes == ByteBuffer(repeating: 7, count: 200_000))
    }
}
