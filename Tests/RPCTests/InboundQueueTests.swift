import NIOCore
import Synchronization
import Testing

@testable import RPC

@Suite struct InboundQueueTests {
    private static let message = Payload(ByteBuffer(string: "x"))

    @Test func aFullQueueSaysSoAndAsksAgainWhenHalfIsTaken() async throws {
        let returned = Mutex<[Int]>([])
        let queue = InboundQueue(creditStep: 1000, maxBytes: 4 * (InboundQueue.entryCost + 1)) { bytes in
            returned.withLock { $0.append(bytes) }
        }
        let room = (0..<4).map { _ in queue.push(Self.message, credit: 6) }
        #expect(room == [true, true, true, false])
        _ = try await queue.next()
        #expect(returned.withLock { $0 } == [])
        _ = try await queue.next()
        #expect(returned.withLock { $0 } == [12])
        _ = try await queue.next()
        _ = try await queue.next()
        #expect(returned.withLock { $0 } == [12])
    }

    @Test func creditOfManySmallMessagesReturnsInSteps() async throws {
        let returned = Mutex<[Int]>([])
        let queue = InboundQueue(creditStep: 10, maxBytes: 100 * InboundQueue.entryCost) { bytes in
            returned.withLock { $0.append(bytes) }
        }
        for _ in 0..<4 { _ = queue.push(Self.message, credit: 6) }
        for _ in 0..<4 { _ = try await queue.next() }
        #expect(returned.withLock { $0 } == [12, 12])
    }

    @Test func shortMessagesCountForWhatTheyTake() async throws {
        let queue = InboundQueue(creditStep: .max, maxBytes: 3 * InboundQueue.entryCost) { _ in }
        let attached = Payload(ByteBuffer(), attachment: ByteBuffer(repeating: 0, count: 200))
        #expect(queue.push(attached, credit: 209))
        #expect(queue.push(attached, credit: 209) == false)
        // What the budget counts is not counted twice.
        let other = InboundQueue(creditStep: .max, maxBytes: 3 * InboundQueue.entryCost) { _ in }
        var large = Payload(ByteBuffer(repeating: 0, count: 20_000))
        large.lease = MemoryBudget(limit: 20_000).reserve(20_000)
        #expect(other.push(large, credit: 1))
        #expect(other.push(Payload(ByteBuffer()), credit: 1))
        #expect(other.push(Payload(ByteBuffer()), credit: 1) == false)
    }

    @Test func aQueueWithoutMemoryTakesLittleAndGoesOn() async throws {
        let budget = MemoryBudget(limit: 1 << 20)
        var others = budget.holdQueued(MemoryBudget.smallestWindowLimit / 2, in: nil)
        #expect(others != nil)
        let message = Payload(ByteBuffer(repeating: 1, count: 1000))
        let returned = Mutex<[Int]>([])
        let queue = InboundQueue(creditStep: .max, maxBytes: 64 << 10, memory: QueuedShare(budget, nil)) { bytes in
            returned.withLock { $0.append(bytes) }
        }
        // Each takes 1256 bytes, of which 4096 are free.
        let room = (0..<4).map { _ in queue.push(message, credit: 1005) }
        #expect(room == [true, true, true, false])
        for _ in 0..<2 { _ = try await queue.next() }
        #expect(returned.withLock { $0 } == [])
        _ = try await queue.next()
        #expect(returned.withLock { $0 } == [3015])
        others = nil
        var count = 2
        while queue.push(message, credit: 1005) { count += 1 }
        // Full, as ever.
        #expect(count == 53 && budget.queuedBytes == 4 * QueuedShare.stepBytes)
        queue.finish(nil)
        while try await queue.next() != nil { count -= 1 }
        #expect(count == 0 && budget.queuedBytes == 0)
    }

    @Test func whatIsDroppedCountsNoMore() {
        let budget = MemoryBudget(limit: 1 << 20)
        var queue: InboundQueue? = InboundQueue(creditStep: .max, memory: QueuedShare(budget, nil)) { _ in }
        let message = Payload(ByteBuffer(repeating: 1, count: 10_000))
        for _ in 0..<2 { _ = queue?.push(message, credit: 10_005) }
        #expect(budget.queuedBytes == 2 * QueuedShare.stepBytes)
        queue?.finish(RPCError(.cancelled, "over"), dropping: true)
        #expect(budget.queuedBytes == 0)
        queue = InboundQueue(creditStep: .max, memory: QueuedShare(budget, nil)) { _ in }
        _ = queue?.push(message, credit: 10_005)
        #expect(budget.queuedBytes == QueuedShare.stepBytes)
        queue = nil
        #expect(budget.queuedBytes == 0)
    }

    /// As a reader has them whose connection has ended.
    private static func unread(_ texts: [String], more: ByteBuffer = ByteBuffer()) -> UnreadMessages {
        var reader = MessageReaderTests.reader()
        for text in texts {
            var message = MessageReaderTests.prefix(text.utf8.count)
            message.writeString(text)
            reader.receive(message)
        }
        reader.receive(more)
        reader.receiveEnd()
        return UnreadMessages(reader)
    }

    @Test func whatWasNotReadComesBehindWhatWaits() async throws {
        let queue = InboundQueue(creditStep: .max) { _ in }
        for text in ["a", "b"] { _ = queue.push(Payload(text), credit: 6) }
        queue.leave(Self.unread(["c", "", "d"]))
        queue.finish(nil)
        #expect(try await collect(MessageStream(queue: queue)) == ["a", "b", "c", "", "d"])
        let isOver = try await queue.next() == nil
        #expect(isOver)
    }

    @Test func whoWaitsGetsTheFirstOfWhatWasNotRead() async throws {
        let queue = InboundQueue(creditStep: .max) { _ in }
        let first = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Payload?, any Error>) in
            let isWaiting = queue.poll(orWait: continuation) == nil
            #expect(isWaiting)
            queue.leave(Self.unread(["a", "b"]))
        }
        #expect(first?.text == "a")
        queue.finish(nil)
        #expect(try await collect(MessageStream(queue: queue)) == ["b"])
    }

    @Test func whoWaitsHearsOfTheEndWhereNothingIsLeft() async throws {
        let queue = InboundQueue(creditStep: .max) { _ in }
        let first = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Payload?, any Error>) in
            _ = queue.poll(orWait: continuation)
            queue.leave(Self.unread([]))
            queue.finish(nil)
        }
        let isOver = first == nil
        #expect(isOver)
    }

    @Test func aMistakeInWhatWasNotReadIsItsEnd() async throws {
        let queue = InboundQueue(creditStep: .max) { _ in }
        queue.leave(Self.unread(["a"], more: ByteBuffer(bytes: [9, 9, 9, 9, 9, 9])))
        queue.finish(nil)
        let first = try await queue.next()
        #expect(first?.text == "a")
        for _ in 0..<2 { #expect(await failure { _ = try await queue.next() }?.limit == .malformedCall) }
    }

    @Test func whatIsDroppedIsNotRead() async throws {
        let queue = InboundQueue(creditStep: .max) { _ in }
        queue.leave(Self.unread(["a"]))
        queue.finish(nil)
        queue.finish(RPCError(.cancelled, "over"), dropping: true)
        #expect(await failure { _ = try await queue.next() }?.code == .cancelled)
    }

    /// Thousands of short messages, many at once, to a handler that takes its time: none is lost, in both directions.
    @Test func manyShortMessagesPassSmallQueues() async throws {
        var (server, client) = (ServerConfiguration(), ClientConfiguration.patient)
        (server.maxQueuedBytes, client.maxQueuedBytes) = (2048, 2048)
        let handler = RPCHandler.stream { _, requests, responses in
            for try await request in requests { try await responses.write(request) }
        }
        try await Loopback.with(["Chat": handler], server: server, client: client) { loopback in
            let call = try await loopback.connection.open("/test.Service/Chat")
            async let sent: Void = {
                for number in 0..<5000 { try await call.send(Payload(ByteBuffer(string: "\(number)"))) }
                call.finishSending()
            }()
            var next = 0
            for try await answer in call.responses {
                #expect(String(buffer: answer.message) == "\(next)")
                next += 1
            }
            try await sent
            #expect(next == 5000)
        }
    }
}
