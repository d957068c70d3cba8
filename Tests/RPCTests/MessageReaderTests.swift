import NIOCore
import Testing

@testable import RPC

@Suite struct MessageReaderTests {
    static func reader(window: Int = 1000) -> MessageReader {
        let parser = MessageParser(
            takesAttachments: false, inflater: nil, maxMessageBytes: 1 << 20, maxAttachmentBytes: 0)
        return MessageReader(parser: parser, windowBytes: window)
    }

    static func prefix(_ length: Int) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt8(0))
        buffer.writeInteger(UInt32(length))
        return buffer
    }

    static func outputs(
        _ reader: inout MessageReader, _ budget: MemoryBudget, _ intake: LargeIntake = LargeIntake(windowBytes: 1 << 20)
    ) -> [String] {
        var texts: [String] = []
        while let output = reader.next(budget, intake) {
            switch output {
            case .message(let payload, let credit):
                texts.append("message \(payload.message.readableBytes) credit \(credit)")
            case .credit(let bytes): texts.append("credit \(bytes)")
            case .park(let bytes): texts.append("park \(bytes)")
            case .queue: texts.append("queue")
            case .end: texts.append("end")
            case .failed(let error): texts.append("failed \(error.code)")
            }
        }
        return texts
    }

    @Test func aSmallMessageIsCreditedWhenTaken() {
        var reader = Self.reader()
        let budget = MemoryBudget(limit: 1 << 20)
        reader.receive(Self.prefix(3))
        #expect(Self.outputs(&reader, budget) == [])
        reader.receive(ByteBuffer(string: "abc"))
        reader.receiveEnd()
        #expect(Self.outputs(&reader, budget) == ["message 3 credit 8", "end"])
    }

    @Test func aLargeMessageIsCreditedEarlyUpToHalfAWindow() {
        var reader = Self.reader()
        let budget = MemoryBudget(limit: 1 << 20)
        reader.receive(Self.prefix(50_000))
        #expect(Self.outputs(&reader, budget) == ["credit 49505"])
        #expect(budget.used == 50_000)
        reader.receive(ByteBuffer(repeating: 1, count: 50_000))
        #expect(Self.outputs(&reader, budget) == ["message 50000 credit 500"])
        #expect(budget.used == 0)
    }

    @Test func whatWaitsIsBounded() {
        // One byte is reserved for nobody, so that all wait.
        let budget = MemoryBudget(limit: 100_000)
        let full = budget.reserve(100_000)
        let window = MemoryBudget.smallestWindowLimit / 8
        var readers = (0..<9).map { _ in Self.reader(window: window) }
        for index in readers.indices { readers[index].receive(Self.prefix(50_000)) }
        let outputs = readers.indices.map { Self.outputs(&readers[$0], budget) }
        #expect(outputs == Array(repeating: ["park 50000"], count: 8) + [["failed RESOURCE_EXHAUSTED"]])
        #expect(budget.waitingBytes == MemoryBudget.smallestWindowLimit)
        readers.removeAll()
        #expect(budget.waitingBytes == 0)
        withExtendedLifetime(full) {}
    }

    @Test func whatAWiderWindowLetsWaitIsCountedWhenItComes() {
        let budget = MemoryBudget(limit: 100_000)
        var full = budget.reserve(100_000)
        var reader = Self.reader(window: 1000)
        reader.receive(Self.prefix(50_000))
        #expect(Self.outputs(&reader, budget) == ["park 50000"])
        for (bytes, windows) in [(1000, 1), (1, 2), (999, 2), (2500, 5)] {
            reader.receive(ByteBuffer(repeating: 1, count: bytes))
            #expect(reader.countWaiting(budget) == nil)
            #expect(budget.waitingBytes == windows * 1000)
        }
        full = nil
        _ = full
        budget.reserve(50_000).map { reader.granted($0) }
        #expect(Self.outputs(&reader, budget) == ["credit 49505"])
        #expect(budget.waitingBytes == 0)
        reader.receive(ByteBuffer(repeating: 1, count: 45_500))
        #expect(Self.outputs(&reader, budget) == ["message 50000 credit 500"])
    }

    @Test func whatAWiderWindowLetsWaitIsBounded() {
        let budget = MemoryBudget(limit: 100_000)
        let full = budget.reserve(100_000)
        let window = MemoryBudget.smallestWindowLimit / 8
        var reader = Self.reader(window: window)
        reader.receive(Self.prefix(50_000))
        #expect(Self.outputs(&reader, budget) == ["park 50000"])
        reader.receive(ByteBuffer(repeating: 1, count: 8 * window))
        #expect(reader.countWaiting(budget) == nil)
        #expect(budget.waitingBytes == MemoryBudget.smallestWindowLimit)
        reader.receive(ByteBuffer(repeating: 1, count: 1))
        #expect(reader.countWaiting(budget)?.code == .resourceExhausted)
        #expect(budget.waitingBytes == 0)
        withExtendedLifetime(full) {}
    }

    private static func messages(_ count: Int, of bytes: Int) -> ByteBuffer {
        var all = ByteBuffer()
        for _ in 0..<count {
            all.writeImmutableBuffer(prefix(bytes))
            all.writeRepeatingByte(1, count: bytes)
        }
        return all
    }

    /// They are too small for memory to be reserved.
    @Test func whatIsHeldBackIsCounted() {
        let budget = MemoryBudget(limit: 100_000)
        let intake = LargeIntake(windowBytes: 1 << 20)
        var reader = Self.reader(window: 1000)
        reader.receive(Self.messages(4, of: 400))
        _ = reader.next(budget, intake)
        reader.holdBack()
        #expect(reader.countWaiting(budget) == nil)
        // Three are left.
        #expect(budget.waitingBytes == 2000)
        reader.receive(Self.messages(2, of: 400))
        #expect(reader.countWaiting(budget) == nil)
        #expect(budget.waitingBytes == 3000)
        #expect(Self.outputs(&reader, budget) == Array(repeating: "message 400 credit 405", count: 5))
        #expect(budget.waitingBytes == 0)
    }

    /// The receive buffer is large, and many streams may be held back for long.
    @Test(arguments: [1, 3])
    func theReceiveBufferIsLetGoWhereAReaderIsHeldBack(_ count: Int) throws {
        let block = try #require(MemoryBlock(BlockSize(fitting: 8192)))
        block.retain()
        let budget = MemoryBudget(limit: 100_000)
        var reader = Self.reader()
        var received = ByteBuffer(block, 0..<8000)
        received.writeImmutableBuffer(Self.messages(count, of: 10))
        reader.receive(received)
        received = ByteBuffer()
        _ = reader.next(budget, LargeIntake(windowBytes: 1 << 20))
        reader.holdBack()
        let isLast = block.release()
        #expect(isLast)
        if isLast { block.free() }
        let rest = Self.outputs(&reader, budget)
        #expect(rest == Array(repeating: "message 10 credit 15", count: count - 1))
    }

    /// While more comes, and a few are taken each time.
    @Test func whatIsHeldBackAgainAndAgainStaysInOrder() {
        let budget = MemoryBudget(limit: 100_000)
        let intake = LargeIntake(windowBytes: 1 << 20)
        var reader = Self.reader(window: 100_000)
        var (sent, taken): ([Int], [Int]) = ([], [])
        func send(_ count: Int) {
            var all = ByteBuffer()
            for _ in 0..<count {
                let size = 1 + sent.count % 40
                sent.append(size)
                all.writeImmutableBuffer(Self.messages(1, of: size))
            }
            reader.receive(all)
        }
        func take(_ most: Int) {
            var left = most
            while left > 0, let output = reader.next(budget, intake) {
                guard case .message(let payload, _) = output else { continue }
                taken.append(payload.message.readableBytes)
                left -= 1
            }
            if left == 0 { reader.holdBack() }
        }
        send(500)
        for round in 0..<300 {
            take(1 + round % 7)
            send(round % 3)
        }
        // Nothing is left, and then something again.
        take(.max)
        send(5)
        take(.max)
        #expect(taken == sent)
    }

    @Test func whatIsHeldBackIsBounded() {
        let budget = MemoryBudget(limit: 100_000)
        let intake = LargeIntake(windowBytes: 1 << 20)
        var readers = (0..<9).map { _ in Self.reader(window: MemoryBudget.smallestWindowLimit / 8) }
        let codes = readers.indices.map { index in
            readers[index].receive(Self.messages(1, of: 10))
            _ = readers[index].next(budget, intake)
            readers[index].receive(ByteBuffer(repeating: 0, count: MemoryBudget.smallestWindowLimit / 8))
            readers[index].holdBack()
            return readers[index].countWaiting(budget)?.code
        }
        #expect(codes.dropLast().allSatisfy { $0 == nil })
        #expect(codes[8] == .resourceExhausted)
        readers.removeAll()
        #expect(budget.waitingBytes == 0)
    }

    @Test func oneAddressLeavesOthersRoomToWait() {
        let budget = MemoryBudget(limit: 100_000)
        let full = budget.reserve(100_000)
        let window = MemoryBudget.smallestWindowLimit / 8
        let (greedy, other) = (MemoryShare(limit: 50_000), MemoryShare(limit: 50_000))
        var windows = (0..<5).map { _ in budget.holdWindow(window, in: greedy) }
        #expect(windows.map { $0 != nil } == [true, true, true, true, false])
        let others = budget.holdWindow(window, in: other)
        #expect(budget.waitingBytes == 5 * window)
        windows.removeAll()
        withExtendedLifetime((full, others)) {}
    }

    @Test func aMessageWithoutMemoryParksAndGoesOn() throws {
        var reader = Self.reader(window: 40_000)
        let budget = MemoryBudget(limit: 50_000)
        var other = budget.reserve(30_000)
        reader.receive(Self.prefix(30_000))
        reader.receive(ByteBuffer(repeating: 1, count: 10_000))
        #expect(Self.outputs(&reader, budget) == ["park 30000"])
        reader.receive(ByteBuffer(repeating: 1, count: 20_000))
        reader.receiveEnd()
        #expect(Self.outputs(&reader, budget) == [])
        other = nil
        _ = other
        reader.granted(try #require(budget.reserve(30_000)))
        #expect(Self.outputs(&reader, budget) == ["credit 10005", "message 30000 credit 20000", "end"])
    }

    @Test func whatCannotEverFitIsRefused() {
        var reader = Self.reader()
        reader.receive(Self.prefix(60_000))
        #expect(Self.outputs(&reader, MemoryBudget(limit: 50_000)) == ["failed RESOURCE_EXHAUSTED"])
    }

    @Test(arguments: [1, 4, 5, 7])
    func anEndInsideAMessageIsInternal(_ length: Int) {
        var reader = Self.reader()
        var bytes = Self.prefix(10)
        bytes.writeRepeatingByte(1, count: 10)
        reader.receive(bytes.readSlice(length: length) ?? ByteBuffer())
        reader.receiveEnd()
        #expect(Self.outputs(&reader, MemoryBudget(limit: 100)) == ["failed INTERNAL"])
    }

    @Test func aLargeMessageWaitsWhileOthersFillTheConnectionsWindow() throws {
        let budget = MemoryBudget(limit: 1 << 20)
        var intake = LargeIntake(windowBytes: 20_000)
        var first = Self.reader()
        var second = Self.reader()
        first.receive(Self.prefix(50_000))
        #expect(Self.outputs(&first, budget, intake) == ["credit 49505"])
        second.receive(Self.prefix(50_000))
        #expect(Self.outputs(&second, budget, intake) == ["queue"])
        _ = intake.wait(3)
        // Only the first has memory.
        #expect(budget.used == 50_000)
        first.receive(ByteBuffer(repeating: 1, count: 30_000))
        #expect(Self.outputs(&first, budget, intake) == [])
        #expect(intake.next() == nil)
        second.receive(ByteBuffer(repeating: 2, count: 900))
        first.receive(ByteBuffer(repeating: 1, count: 10_000))
        #expect(Self.outputs(&first, budget, intake) == [])
        #expect(intake.next() == 3)
        second.turnCame()
        #expect(Self.outputs(&second, budget, intake) == ["credit 49505"])
        first.receive(ByteBuffer(repeating: 1, count: 10_000))
        second.receive(ByteBuffer(repeating: 2, count: 49_100))
        #expect(Self.outputs(&first, budget, intake) == ["message 50000 credit 500"])
        #expect(Self.outputs(&second, budget, intake) == ["message 50000 credit 500"])
        #expect(budget.used == 0)
    }
}
