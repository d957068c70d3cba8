import NIOCore
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(5))) struct QueuedShareTests {
    private static let free = QueuedShare.freeBytes
    private static let step = QueuedShare.stepBytes
    /// What all queues of a small budget may have.
    private static let all = MemoryBudget.smallestWindowLimit / 2

    @Test func onlyWhatIsMoreThanLittleCounts() {
        let budget = MemoryBudget(limit: 1 << 20)
        var queued = QueuedShare(budget, nil)
        for (bytes, steps) in [(Self.free, 0), (Self.free + 1, 1), (Self.free + Self.step, 1)] {
            let isHeld = queued.hold(bytes)
            #expect(isHeld)
            #expect(budget.queuedBytes == steps * Self.step)
        }
        // One message may take two.
        let isHeld = queued.hold(Self.free + 2 * Self.step + 1)
        #expect(isHeld)
        #expect(budget.queuedBytes == 3 * Self.step)
        // Messages and windows that wait for memory have their own.
        #expect(budget.used == 0 && budget.waitingBytes == 0)
    }

    @Test func aStepIsKeptUntilMoreThanItselfIsFree() {
        let budget = MemoryBudget(limit: 1 << 20)
        var queued = QueuedShare(budget, nil)
        let isHeld = queued.hold(Self.free + 2 * Self.step)
        #expect(isHeld)
        let few = Self.free / 2
        for (bytes, steps) in [(Self.step + few + 1, 2), (Self.step + few, 1), (few + 1, 1), (few, 0), (0, 0)] {
            queued.fit(bytes)
            #expect(budget.queuedBytes == steps * Self.step)
            #expect(queued.room == Self.free + steps * Self.step)
        }
    }

    @Test func oneAddressLeavesOthersTheirs() {
        let budget = MemoryBudget(limit: 1 << 20)
        let share = MemoryShare(0.5, of: budget)
        var (one, other) = (QueuedShare(budget, share), QueuedShare(budget, share))
        var isHeld = one.hold(Self.all / 2)
        #expect(isHeld)
        isHeld = other.hold(Self.free)
        #expect(isHeld)
        // It has nothing more for itself, however many streams it has.
        isHeld = other.hold(Self.free + 1)
        #expect(!isHeld)
        #expect(other.room == Self.free)
        #expect(budget.queuedBytes == Self.all / 2)
        var stranger = QueuedShare(budget, MemoryShare(0.5, of: budget))
        isHeld = stranger.hold(Self.all / 2)
        #expect(isHeld)
        #expect(budget.queuedBytes == Self.all)
        one.fit(0)
        isHeld = other.hold(Self.free + 1)
        #expect(isHeld)
    }

    @Test func whatIsLetGoCountsNoMore() {
        let budget = MemoryBudget(limit: 1 << 20)
        var queued: QueuedShare? = QueuedShare(budget, MemoryShare(0.5, of: budget))
        let isHeld = queued?.hold(100_000)
        #expect(isHeld == true && budget.queuedBytes == 6 * Self.step)
        queued = nil
        #expect(budget.queuedBytes == 0)
    }

    @Test func theLimitGoesWithThatOfTheBudget() {
        let budget = MemoryBudget(limit: 1 << 20)
        #expect(budget.holdQueued(Self.all + 1, in: nil) == nil)
        budget.limit = 4 * MemoryBudget.smallestWindowLimit
        #expect(budget.holdQueued(2 * MemoryBudget.smallestWindowLimit, in: nil) != nil)
    }

    /// Slow readers, and no memory left for what waits for them: their clients wait, and none sees an error.
    @Test func streamsWithoutMemoryAreHeldBackAndGoOn() async throws {
        let budget = MemoryBudget(limit: 1 << 20)
        // What one of the queues below wants is left.
        let others = budget.holdQueued(Self.all - 4 * Self.step, in: nil)
        let go = Signal()
        let count = 60
        let methods: [String: RPCHandler] = [
            "Read": .stream { _, requests, _ in
                await go.wait()
                var left = count
                for try await request in requests {
                    #expect(request.message.readableBytes == 1000)
                    left -= 1
                    if left == 0 { return }
                }
            }
        ]
        var body = ByteBuffer()
        for _ in 0..<count {
            body.writeImmutableBuffer(MessageReaderTests.prefix(1000))
            body.writeRepeatingByte(7, count: 1000)
        }
        try await Loopback.serving(methods, budget: budget) { server in
            var calls: [RawLink.Call] = []
            for _ in 0..<4 { calls.append(try await RawLink.open(server.address, "/test.Service/Read", body: body)) }
            // Some of each is held back, of the longest queue, too.
            while budget.queuedBytes < Self.all || budget.waitingBytes < calls.count * MessageReader.stepBytes {
                try await Task.sleep(for: .milliseconds(1))
            }
            #expect(budget.queuedBytes == Self.all)
            go.fire()
            for call in calls {
                #expect(try await call.answer.get()["grpc-status"] == "0")
                call.channel.close(promise: nil)
            }
            while budget.queuedBytes > Self.all - 4 * Self.step || budget.waitingBytes > 0 {
                try await Task.sleep(for: .milliseconds(1))
            }
        }
        withExtendedLifetime(others) {}
    }

    /// At a client, which takes none of the answers.
    @Test func answersThatWaitForTheirReaderCount() async throws {
        let budget = MemoryBudget(limit: 1 << 20)
        let count = 400
        let flood: RPCHandler = .stream { _, _, responses in
            for _ in 0..<count { try await responses.write(Payload(ByteBuffer(repeating: 7, count: 1000))) }
        }
        try await Loopback.with(["Flood": flood], clientBudget: budget) { loopback in
            let call = try await loopback.connection.open(loopback.path("Flood"))
            call.finishSending()
            // A queue of 64 KiB is full, and a message beyond it.
            while budget.queuedBytes < 4 * Self.step { try await Task.sleep(for: .milliseconds(1)) }
            #expect(try await collect(call.responses).count == count)
            #expect(budget.queuedBytes == 0)
        }
    }
}
