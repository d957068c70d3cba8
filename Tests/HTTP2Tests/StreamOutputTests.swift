import NIOCore
import Testing

@testable import HTTP2

@Suite struct StreamOutputTests {
    /// The sizes of the buffers that come out, and their bytes.
    private static func take(_ count: Int, of output: inout StreamOutput) -> (sizes: [Int], bytes: ByteBuffer) {
        var (sizes, bytes): ([Int], ByteBuffer) = ([], ByteBuffer())
        output.take(count) { piece in
            guard case .buffer(let buffer) = piece else { return }
            sizes.append(buffer.readableBytes)
            bytes.writeImmutableBuffer(buffer)
        }
        return (sizes, bytes)
    }

    /// As empty messages are, which a peer may ask for as long as it reads none.
    @Test func shortBuffersThatWaitTakeLittleMoreThanTheirBytes() {
        var output = StreamOutput()
        var expected = ByteBuffer()
        for number in 0..<50_000 as Range<UInt32> {
            var short = ByteBuffer(bytes: [0])
            short.writeInteger(number)
            output.append(short)
            expected.writeImmutableBuffer(short)
        }
        #expect(output.pending == 250_000)
        let all = Self.take(250_000, of: &output)
        #expect(all.bytes == expected)
        // The first one went alone.
        #expect(all.sizes.count <= 2 + 250_000 / (StreamOutput.joinedBytes - 4))
        #expect(output.pending == 0 && output.sent == 250_000)
    }

    @Test func largeBuffersStayWhereTheyAre() {
        var output = StreamOutput()
        for size in [5, 100_000, 5, 7, OutputQueue.copyLimit, OutputQueue.copyLimit + 1, 3, 100_000] {
            output.append(ByteBuffer(repeating: 1, count: size))
        }
        let joined = 12 + OutputQueue.copyLimit
        #expect(
            Self.take(output.pending, of: &output).sizes
                == [5, 100_000, joined, OutputQueue.copyLimit + 1, 3, 100_000])
    }

    @Test func whatIsQueuedWhileOthersAreSentComesBehindThem() {
        var output = StreamOutput()
        for text in ["one ", "two ", "three "] { output.append(ByteBuffer(string: text)) }
        var bytes = Self.take(6, of: &output).bytes
        #expect(String(buffer: bytes) == "one tw")
        output.append(ByteBuffer(string: "four "))
        bytes = Self.take(5, of: &output).bytes
        #expect(String(buffer: bytes) == "o thr")
        output.append(ByteBuffer(string: "five"))
        bytes = Self.take(output.pending, of: &output).bytes
        #expect(String(buffer: bytes) == "ee four five")
        output.append(ByteBuffer(string: "again"))
        bytes = Self.take(output.pending, of: &output).bytes
        #expect(String(buffer: bytes) == "again")
    }

    /// What was joined has been sent: what comes then is not taken for more of it.
    @Test func aDrainedQueueBeginsAnew() {
        var output = StreamOutput()
        for text in ["one ", "two ", "three "] { output.append(ByteBuffer(string: text)) }
        #expect(Self.take(output.pending, of: &output).sizes == [4, 10])
        let long = OutputQueue.copyLimit + 1
        for size in [long, 3, 4, long, long, 5, 6] { output.append(ByteBuffer(repeating: 1, count: size)) }
        #expect(Self.take(long, of: &output).sizes == [long])
        // The joined ones are the first now, and take nothing more.
        for size in [7, 8] { output.append(ByteBuffer(repeating: 1, count: size)) }
        #expect(Self.take(output.pending, of: &output).sizes == [7, long, long, 26])
        #expect(output.pending == 0)
    }

    /// What follows a short one goes to its memory, unless others look at that.
    @Test func whatOthersHoldIsNotWrittenTo() {
        var output = StreamOutput()
        output.append(ByteBuffer(string: "first "))
        var text = ByteBuffer(string: "held beside")
        if let slice = text.readSlice(length: 5) { output.append(slice) }
        output.append(ByteBuffer(string: "last"))
        let bytes = Self.take(output.pending, of: &output).bytes
        #expect(String(buffer: bytes) == "first held last")
        #expect(String(buffer: text) == "beside")
    }

    /// The memory that a short slice is of may be large.
    @Test func ofAShortSliceOnlyItsBytesAreKept() {
        var output = StreamOutput()
        output.append(ByteBuffer(string: "first"))
        var large = ByteBuffer(repeating: 1, count: 1 << 20)
        if let slice = large.readSlice(length: 10) { output.append(slice) }
        #expect(Self.take(5, of: &output).sizes == [5])
        var kept = 0
        output.take(10) { if case .buffer(let buffer) = $0 { kept = buffer.storageCapacity } }
        #expect(kept > 0 && kept < 1 << 10)
    }
}
