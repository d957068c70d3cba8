import NIOCore
import RPC
import Services
import Testing

@testable import Node

@Suite struct WorkQueueTests {
    static let start = NIODeadline.uptimeNanoseconds(100_000_000_000)

    private func queue(
        limit: Int = 64, workers: Int = 1, models: Int = 1, maxBatchSize: Int = 1, delay: TimeAmount = .zero,
        inOrderOfArrival: Bool = false
    ) -> WorkQueue<String> {
        WorkQueue(
            admission: Admission(limit: limit, workers: workers),
            batchers: Array(repeating: Batcher(maxBatchSize: maxBatchSize, maxQueueDelay: delay), count: models),
            inOrderOfArrival: inOrderOfArrival)
    }

    private func entry(
        _ id: UInt64, of client: UInt64 = 0, _ priority: FramePriority = .live, model: Int = 0, inputs: Int = 1,
        at: TimeAmount = .zero, deadline: TimeAmount? = nil
    ) -> WorkQueue<String>.Entry {
        .init(
            id: id, client: CallOrigin(client), priority: priority, model: model, inputs: inputs,
            arrival: Self.start + at,
            deadline: deadline.map { Self.start + $0 }, payload: "frame \(id)")
    }

    private func ids(_ action: WorkQueue<String>.Action) -> [UInt64]? {
        if case .run(let batch) = action { batch.map(\.id) } else { nil }
    }

    @Test func requestsRunInTheOrderTheyCame() throws {
        var queue = queue()
        for id in 1...3 { try queue.offer(entry(UInt64(id), at: .milliseconds(Int64(id)))) }
        #expect((1...3).map { _ in ids(queue.take(now: Self.start)) } == [[1], [2], [3]])
        guard case .sleep = queue.take(now: Self.start) else { return #expect(Bool(false), "nothing is left") }
        #expect(queue.running == 3)
    }

    @Test func modelsAreBatchedApartAndTheOldestComesFirst() throws {
        var queue = queue(models: 2, maxBatchSize: 4)
        for id in 1...4 { try queue.offer(entry(UInt64(id), model: id % 2, at: .milliseconds(Int64(id)))) }
        #expect(ids(queue.take(now: Self.start)) == [1, 3])
        #expect(ids(queue.take(now: Self.start)) == [2, 4])
    }

    @Test func aBatchThatWaitsDoesNotHoldUpAnotherModel() throws {
        var queue = queue(models: 2, maxBatchSize: 2, delay: .milliseconds(5))
        try queue.offer(entry(1, model: 0))
        try queue.offer(entry(2, model: 1, at: .milliseconds(1)))
        try queue.offer(entry(3, model: 1, at: .milliseconds(1)))
        #expect(ids(queue.take(now: Self.start + .milliseconds(1))) == [2, 3])
        guard case .wait(let until) = queue.take(now: Self.start + .milliseconds(1)) else {
            return #expect(Bool(false), "the first request waits for company")
        }
        #expect(until == Self.start + .milliseconds(5))
        #expect(ids(queue.take(now: until)) == [1])
    }

    @Test func theLimitHoldsForAllModelsTogether() throws {
        var queue = queue(limit: 2, models: 2)
        try queue.offer(entry(1, model: 0))
        try queue.offer(entry(2, model: 1))
        #expect(throws: Admission.Refusal.full(waiting: 2, limit: 2, wait: .zero)) { try queue.offer(entry(3)) }
        _ = queue.take(now: Self.start)
        try queue.offer(entry(4))
        #expect(queue.counts.accepted == 3)
        #expect(queue.counts.onArrival == 1)
    }

    @Test func whatCannotBeDoneInTimeGivesWayToWhatCan() throws {
        var queue = queue()
        try queue.offer(entry(1))
        guard case .run(let first) = queue.take(now: Self.start) else { return #expect(Bool(false), "one waits") }
        queue.finish(first, [.completed], elapsed: .milliseconds(10))
        try queue.offer(entry(2, deadline: .milliseconds(45)))
        try queue.offer(entry(3, deadline: .milliseconds(80)))
        #expect(queue.giveUpLate(now: Self.start + .milliseconds(35)).isEmpty, "There are just 10 ms.")
        #expect(queue.giveUpLate(now: Self.start + .milliseconds(36)).map(\.id) == [2])
        #expect(queue.counts.late == 1)
        #expect(queue.giveUpLate(now: Self.start + .milliseconds(75)).isEmpty, "The estimate may be wrong.")
        #expect(ids(queue.take(now: Self.start + .milliseconds(75))) == [3])
    }

    @Test func whatWaitedTooLongIsTakenOutAndCounted() throws {
        var queue = queue()
        try queue.offer(entry(1, deadline: .milliseconds(5)))
        try queue.offer(entry(2))
        try queue.offer(entry(3, deadline: .milliseconds(9)))
        #expect(queue.expire(now: Self.start + .milliseconds(5)).map(\.id) == [1])
        #expect(queue.expire(now: Self.start + .milliseconds(5)).isEmpty)
        #expect(queue.depth == 2)
        #expect(queue.counts.expired == 1)
    }

    @Test func aClientThatLeavesTakesItsRequestAlong() throws {
        var queue = queue()
        try queue.offer(entry(1, deadline: .milliseconds(5)))
        try queue.offer(entry(2))
        #expect(queue.remove(2, now: Self.start)?.end == .cancelled)
        // Its call was ended by its deadline.
        #expect(queue.remove(1, now: Self.start + .milliseconds(6))?.end == .expired)
        #expect(queue.remove(1, now: Self.start) == nil)
        #expect(queue.depth == 0)
        #expect([queue.counts.cancelled, queue.counts.expired] == [1, 1])
    }

    @Test func theEstimateFollowsWhatWorkTakes() throws {
        var queue = queue()
        #expect(queue.estimatedWait == .zero)
        try queue.offer(entry(1))
        guard case .run(let batch) = queue.take(now: Self.start) else { return #expect(Bool(false), "it runs") }
        queue.finish(batch, [.completed], elapsed: .milliseconds(10))
        #expect(queue.counts.completed == 1)
        #expect(queue.running == 0)
        #expect(queue.estimatedWait == .zero)
        // One runs, four wait, and would have to be done by now: four and a half times 10 ms.
        for id in 2...6 { try queue.offer(entry(UInt64(id), at: .seconds(-30))) }
        _ = queue.take(now: Self.start)
        #expect(queue.estimatedWait == .milliseconds(45))
        #expect(throws: Admission.Refusal.self) { try queue.offer(entry(7, deadline: .milliseconds(50))) }
        try queue.offer(entry(8, deadline: .milliseconds(60)))
    }

    @Test func aWorkerWithAFullBatchIsOneThatIsBusy() throws {
        var queue = queue(workers: 2, maxBatchSize: 8)
        queue.learn(model: 0, maxBatchSize: 8, passTime: .milliseconds(80))
        for id in 1...8 { try queue.offer(entry(UInt64(id))) }
        guard case .run(let first) = queue.take(now: Self.start) else { return #expect(Bool(false), "they run") }
        #expect(queue.running == 8)
        #expect(queue.estimatedWait == .zero)
        // The other worker sleeps.
        try queue.offer(entry(9, deadline: .milliseconds(15)))
        #expect(ids(queue.take(now: Self.start)) == [9])
        #expect(queue.estimatedWait == .microseconds(22_500))
        #expect(throws: Admission.Refusal.self) { try queue.offer(entry(10, deadline: .milliseconds(15))) }
        queue.finish(first, first.map { _ in .completed }, elapsed: .milliseconds(80))
        #expect(queue.estimatedWait == .zero)
    }

    @Test func regionsCountAsTheWorkTheyAre() throws {
        var queue = queue()
        queue.learn(model: 0, maxBatchSize: 1, passTime: .milliseconds(1))
        try queue.offer(entry(1, inputs: 100))
        #expect(queue.estimatedWait == .milliseconds(100))
    }

    @Test(arguments: [WorkQueue<String>.End.partial, .unfit, .failed, .expired, .cancelled])
    func workThatIsNotDoneDoesNotSpoilTheEstimate(_ end: WorkQueue<String>.End) throws {
        var queue = queue()
        queue.learn(model: 0, maxBatchSize: 1, passTime: .milliseconds(10))
        for id in 1...20 {
            try queue.offer(entry(UInt64(id)))
            guard case .run(let batch) = queue.take(now: Self.start) else { return #expect(Bool(false), "it runs") }
            queue.finish(batch, [end], elapsed: .microseconds(1))
        }
        try queue.offer(entry(21))
        #expect(queue.estimatedWait == .milliseconds(10))
    }

    @Test func aModelWhoseBatchesDifferRunsSingly() throws {
        var queue = queue(maxBatchSize: 4)
        queue.learn(model: 0, maxBatchSize: 1, passTime: .milliseconds(10))
        try queue.offer(entry(1))
        try queue.offer(entry(2))
        #expect(ids(queue.take(now: Self.start)) == [1])
    }

    // ---- clients ----

    /// Runs one request after the other until nothing is left.
    private func order(_ queue: inout WorkQueue<String>, each: TimeAmount = .milliseconds(10)) -> [UInt64] {
        var order: [UInt64] = []
        while case .run(let batch) = queue.take(now: Self.start) {
            order += batch.map(\.client.number)
            queue.finish(batch, batch.map { _ in .completed }, elapsed: each * batch.count)
        }
        return order
    }

    @Test func aPoliteClientDoesNotWaitBehindAGreedyOne() throws {
        var queue = queue()
        queue.learn(model: 0, maxBatchSize: 1, passTime: .milliseconds(10))
        for id in 1...50 { try queue.offer(entry(UInt64(id), of: 1)) }
        guard case .run(let first) = queue.take(now: Self.start) else { return #expect(Bool(false), "it runs") }
        try queue.offer(entry(51, of: 2))
        queue.finish(first, [.completed], elapsed: .milliseconds(10))
        #expect(order(&queue).first == 2)
    }

    @Test func clientsWithWorkTakeTurnsAndTheirBatchesToo() throws {
        var queue = queue(maxBatchSize: 3)
        for id in 1...6 { try queue.offer(entry(UInt64(id), of: 1)) }
        for id in 7...9 { try queue.offer(entry(UInt64(id), of: 2)) }
        for id in 10...12 { try queue.offer(entry(UInt64(id), of: 3)) }
        #expect(order(&queue) == [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 1, 1])
    }

    @Test func aClientIsChargedForWhatItsWorkTook() throws {
        var queue = queue()
        queue.learn(model: 0, maxBatchSize: 1, passTime: .milliseconds(10))
        for id in 1...4 { try queue.offer(entry(UInt64(id), of: 1)) }
        for id in 5...12 { try queue.offer(entry(UInt64(id), of: 2)) }
        var order: [UInt64] = []
        while case .run(let batch) = queue.take(now: Self.start) {
            order.append(batch[0].client.number)
            // The pictures of client 1 take three times as long as those of client 2.
            queue.finish(batch, [.completed], elapsed: .milliseconds(batch[0].client.number == 1 ? 30 : 10))
        }
        // What a request took is known when its client's next one has its turn already.
        #expect(order == [1, 2, 1, 2, 2, 2, 1, 2, 2, 2, 1, 2], "\(order)")
    }

    @Test func regionsAreThoseOfAsManyPictures() throws {
        var queue = queue()
        queue.learn(model: 0, maxBatchSize: 1, passTime: .milliseconds(10))
        for id in 1...2 { try queue.offer(entry(UInt64(id), of: 1, inputs: 4)) }
        for id in 3...10 { try queue.offer(entry(UInt64(id), of: 2)) }
        var order: [UInt64] = []
        while case .run(let batch) = queue.take(now: Self.start) {
            order.append(batch[0].client.number)
            queue.finish(batch, [.completed], elapsed: .milliseconds(10) * batch[0].inputs)
        }
        #expect(order == [1, 2, 2, 2, 2, 1, 2, 2, 2, 2])
    }

    @Test func aFullQueueHasRoomForAClientWithLessThanItsShare() throws {
        var queue = queue(limit: 4)
        for id in 1...4 { try queue.offer(entry(UInt64(id), of: 1, at: .milliseconds(Int64(id)))) }
        // The newest of the one with the most gives way, until both have the same.
        #expect(try queue.offer(entry(5, of: 2))?.id == 4)
        #expect(try queue.offer(entry(6, of: 2))?.id == 3)
        #expect(throws: Admission.Refusal.self) { try queue.offer(entry(7, of: 2)) }
        #expect(throws: Admission.Refusal.self) { try queue.offer(entry(8, of: 1)) }
        #expect(queue.depth == 4)
        #expect([queue.counts.accepted, queue.counts.displaced, queue.counts.onArrival] == [6, 2, 2])
        #expect(order(&queue) == [1, 2, 1, 2])
    }

    @Test func aDeadlineIsMeasuredByTheClientsOwnTurn() throws {
        var queue = queue()
        queue.learn(model: 0, maxBatchSize: 1, passTime: .milliseconds(10))
        for id in 1...30 { try queue.offer(entry(UInt64(id), of: 1, at: .seconds(-30))) }
        _ = queue.take(now: Self.start)
        #expect(throws: Admission.Refusal.self) { try queue.offer(entry(31, of: 1, deadline: .milliseconds(100))) }
        // What runs, one of the other, and its own.
        try queue.offer(entry(32, of: 2, deadline: .milliseconds(30)))
        #expect(throws: Admission.Refusal.self) { try queue.offer(entry(33, of: 2, deadline: .milliseconds(30))) }
    }

    @Test func aRefusalSaysWhenThereWillBeRoom() throws {
        var queue = queue(limit: 10, workers: 2)
        queue.learn(model: 0, maxBatchSize: 1, passTime: .milliseconds(20))
        for id in 1...10 { try queue.offer(entry(UInt64(id))) }
        let refusal = #expect(throws: Admission.Refusal.self) { try queue.offer(entry(11)) }
        // Ten of 20 ms on two workers; half of them.
        #expect(refusal.map { RPCError($0).pushback } == .milliseconds(50))
    }

    /// Thousands of random steps: each request leaves the queue exactly once, and the counts add up.
    @Test(arguments: [1, 2, 3, 4, 5]) func everyRequestEndsExactlyOnce(_ seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        var queue = queue(limit: 8, workers: 2, models: 3, maxBatchSize: 4, delay: .milliseconds(3))
        var now = Self.start
        var ends: [UInt64: Int] = [:]
        var running: [[WorkQueue<String>.Entry]] = []
        var offered: UInt64 = 0
        func end(_ entries: [WorkQueue<String>.Entry]) { for entry in entries { ends[entry.id, default: 0] += 1 } }
        for _ in 0..<5000 {
            now = now + .microseconds(Int64.random(in: 0...500, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1, 2:
                offered += 1
                let late = queue.expire(now: now)
                end(late)
                let deadline =
                    Bool.random(using: &random) ? now + .milliseconds(.random(in: 0...20, using: &random)) : nil
                let entry = WorkQueue<String>.Entry(
                    id: offered, client: CallOrigin(.random(in: 0..<4, using: &random)),
                    priority: Bool.random(using: &random) ? .live : .batch,
                    model: .random(in: 0..<3, using: &random), inputs: .random(in: 1...6, using: &random),
                    arrival: now, deadline: deadline, payload: "")
                do {
                    if let displaced = try queue.offer(entry) {
                        #expect(displaced.client != entry.client || displaced.priority != entry.priority)
                        end([displaced])
                    }
                } catch {
                    end([entry])
                }
            case 3:
                if let removed = queue.remove(.random(in: 0...offered, using: &random), now: now) {
                    end([removed.entry])
                }
            case 4 where running.count < 2:
                end(queue.expire(now: now))
                end(queue.giveUpLate(now: now))
                if case .run(let batch) = queue.take(now: now) {
                    #expect(batch.count == 1 || batch.reduce(0) { $0 + $1.inputs } <= 4)
                    running.append(batch)
                }
            default:
                if let batch = running.popLast() {
                    queue.finish(batch, batch.map { _ in .completed }, elapsed: .milliseconds(2))
                    end(batch)
                }
            }
        }
        running.forEach(end)
        end(queue.removeAll())
        #expect(ends.count == Int(offered))
        #expect(ends.values.allSatisfy { $0 == 1 })
        #expect(queue.counts.accepted + queue.counts.onArrival == offered)
        let unfinished = UInt64(running.reduce(0) { $0 + $1.count })
        let counts = queue.counts
        let ended = counts.completed + counts.expired + counts.late + counts.cancelled + counts.stopped
        #expect(ended + counts.displaced + unfinished == counts.accepted)
        // What Prometheus sees: each frame has one outcome, and each without a result one reason.
        let outcomes = WorkCounts.outcomes.reduce(0) { $0 + $1.1(counts) }
        #expect(outcomes + unfinished == offered)
        #expect(WorkCounts.reasons.reduce(0) { $0 + $1.1(counts) } == outcomes - counts.answered)
        #expect(queue.depth == 0)
    }
}

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
