import NIOCore
import RPC
import Services
import Testing

@testable import Node

/// Which of the requests that wait comes first.
@Suite struct PriorityTests {
    private static let start = NIODeadline.uptimeNanoseconds(100_000_000_000)
    private static let each = TimeAmount.milliseconds(10)

    private func queue(
        limit: Int = 64, lanes: Int = 1, maxBatchSize: Int = 1, inOrderOfArrival: Bool = false
    ) -> WorkQueue<String> {
        var queue = WorkQueue<String>(
            admission: Admission(limit: limit, workers: 1),
            batchers: Array(repeating: Batcher(maxBatchSize: maxBatchSize, maxQueueDelay: .zero), count: lanes),
            inOrderOfArrival: inOrderOfArrival)
        for lane in 0..<lanes { queue.learn(model: lane, maxBatchSize: maxBatchSize, passTime: Self.each) }
        return queue
    }

    private func entry(
        _ id: UInt64, _ priority: FramePriority = .live, of client: UInt64 = 0, lane: Int = 0,
        at: TimeAmount = .zero, deadline: TimeAmount? = nil, due: TimeAmount? = nil
    ) -> WorkQueue<String>.Entry {
        .init(
            id: id, client: CallOrigin(client), priority: priority, model: lane, inputs: 1,
            arrival: Self.start + at, deadline: deadline.map { Self.start + $0 }, due: due.map { Self.start + $0 },
            payload: "")
    }

    private func take(_ queue: inout WorkQueue<String>) -> [UInt64] {
        guard case .run(let batch) = queue.take(now: Self.start) else { return [] }
        queue.finish(batch, batch.map { _ in .completed }, elapsed: Self.each * batch.count)
        return batch.map(\.id)
    }

    private func order(_ queue: inout WorkQueue<String>) -> [UInt64] {
        var order: [UInt64] = []
        while case let ids = take(&queue), !ids.isEmpty { order += ids }
        return order
    }

    // ---- live before batch ----

    @Test func liveComesBeforeBatchOfWhicheverClientAndModel() throws {
        var queue = queue(lanes: 2)
        for id: UInt64 in 1...3 { try queue.offer(entry(id, .batch, of: id, lane: Int(id) % 2)) }
        for id: UInt64 in 4...6 { try queue.offer(entry(id, .live, of: id, lane: Int(id) % 2)) }
        #expect(order(&queue).prefix(3).sorted() == [4, 5, 6])
    }

    @Test(arguments: [2, 4, 8])
    func batchHasItsShareInBatchesToo(_ size: Int) throws {
        var queue = queue(maxBatchSize: size)
        // Each costs as much as in `take`.
        for _ in 0..<50 { queue.learn(model: 0, maxBatchSize: size, passTime: Self.each * size) }
        var (next, ran) = (UInt64(1000), [UInt64]())
        // There is always something of both.
        for id: UInt64 in 1...40 { try queue.offer(entry(id, .batch, of: 1)) }
        for _ in 0..<20 {
            while queue.depth < 60 {
                next += 1
                try queue.offer(entry(next, of: next % 3 + 2))
            }
            ran += take(&queue)
        }
        let batch = ran.count { $0 <= 40 }
        #expect(batch >= ran.count / 8 - size && batch <= ran.count / 8 + size, "\(batch) of \(ran.count)")
    }

    /// A dear one that came first and a cheap one of another kind: neither waits for ever.
    @Test func batchOfKindsThatCostDifferentlyGetsOn() throws {
        var queue = queue(lanes: 2)
        queue.learn(model: 1, maxBatchSize: 1, passTime: .milliseconds(1000))
        try queue.offer(entry(1, .batch, lane: 1))
        try queue.offer(entry(2, .batch, of: 2))
        var ran: [UInt64] = []
        for id: UInt64 in 3...400 {
            try queue.offer(entry(id))
            ran += take(&queue)
        }
        #expect(ran.contains(1) && ran.contains(2))
    }

    @Test func batchHasItsShareHoweverMuchIsLive() throws {
        var queue = queue()
        var next: UInt64 = 1000
        for id: UInt64 in 1...40 { try queue.offer(entry(id, .batch, of: 1)) }
        var ran: [UInt64] = []
        for _ in 0..<80 {
            // There is always something live.
            while queue.depth < 45 {
                next += 1
                try queue.offer(entry(next, of: next % 3 + 2))
            }
            ran += take(&queue)
        }
        // An eighth, in order.
        #expect((9...11).contains(ran.count { $0 <= 40 }), "\(ran)")
        #expect(ran.filter { $0 <= 40 } == Array(1...UInt64(ran.count { $0 <= 40 })))
    }

    @Test func batchThatDidNotWaitHasNothingToCatchUp() throws {
        var queue = queue()
        for id: UInt64 in 1...40 { try queue.offer(entry(id)) }
        for _ in 0..<30 { _ = take(&queue) }
        try queue.offer(entry(100, .batch))
        #expect(order(&queue) == Array(31...37) + [100] + Array(38...40))
    }

    @Test func aLongBatchRequestHasItsTurnToo() throws {
        var queue = queue(lanes: 2)
        queue.learn(model: 1, maxBatchSize: 1, passTime: .milliseconds(1000))
        // It costs about 200 ms, a seventh of which is owed to it for each 10 ms of others.
        try queue.offer(entry(1, .batch, lane: 1))
        var ran: [UInt64] = []
        for id: UInt64 in 2...300 {
            try queue.offer(entry(id))
            ran += take(&queue)
        }
        #expect(ran.contains(1) && (ran.firstIndex(of: 1) ?? 0) > 50)
    }

    @Test func aBatchIsFilledWithTheOtherPriority() throws {
        var queue = queue(maxBatchSize: 4)
        for id: UInt64 in 1...4 { try queue.offer(entry(id, .batch)) }
        for id: UInt64 in 5...6 { try queue.offer(entry(id)) }
        #expect(take(&queue) == [5, 6, 1, 2])
    }

    @Test func aFullQueueHasRoomForLiveRequestsAndKeepsSomeForBatch() throws {
        var queue = queue(limit: 16)
        for id: UInt64 in 1...16 { try queue.offer(entry(id, .batch, of: 1)) }
        // Of the same client too; two places are kept.
        for id: UInt64 in 17...30 { #expect(try queue.offer(entry(id, of: 1))?.priority == .batch) }
        #expect(throws: Admission.Refusal.self) { try queue.offer(entry(31, of: 1)) }
        #expect(throws: Admission.Refusal.self) { try queue.offer(entry(32, .batch, of: 1)) }
        let ran = order(&queue)
        #expect(ran.count { $0 <= 16 } == 2)
        for id: UInt64 in 41...56 { try queue.offer(entry(id, of: 1)) }
        // Where live ones have all of them, batch gets its own.
        #expect(try queue.offer(entry(57, .batch, of: 1))?.id == 56)
        #expect(try queue.offer(entry(58, .batch, of: 1))?.id == 55)
        #expect(throws: Admission.Refusal.self) { try queue.offer(entry(59, .batch, of: 1)) }
    }

    @Test func aLiveRequestIsNotRefusedForWhatItOvertakes() throws {
        var queue = queue()
        for id: UInt64 in 1...20 { try queue.offer(entry(id, .batch, of: 1)) }
        guard case .run = queue.take(now: Self.start) else { return #expect(Bool(false), "one runs") }
        // Half of what runs, and its own.
        try queue.offer(entry(21, of: 1, deadline: .milliseconds(16)))
        #expect(throws: Admission.Refusal.self) {
            try queue.offer(entry(22, .batch, of: 2, deadline: .milliseconds(16)))
        }
        #expect(queue.estimatedWait == .milliseconds(205))
    }

    // ---- earliest deadline first ----

    @Test func ofOneClientThatIsFirstWhichIsDueFirst() throws {
        var queue = queue()
        for (id, deadline) in [(1, nil), (2, 3000), (3, 1000), (4, 2000), (5, nil)] as [(UInt64, Int64?)] {
            try queue.offer(entry(id, deadline: deadline.map { .milliseconds($0) }))
        }
        #expect(order(&queue) == [3, 4, 2, 1, 5])
    }

    /// The last attempt of a frame has all the time that is left, a first one half of it: more such come than can be served.
    @Test func theLastAttemptOfAFrameDoesNotWaitForWhatCameLater() throws {
        var queue = queue(limit: 8)
        try queue.offer(entry(1, deadline: .seconds(30)))
        var ran: [UInt64] = []
        for id: UInt64 in 2...20 {
            let at = TimeAmount.milliseconds(Int64(id))
            for copy: UInt64 in 0..<2 {
                let first = entry(id + copy * 100, at: at, deadline: at + .seconds(15), due: at + .seconds(30))
                _ = try? queue.offer(first)
            }
            ran += take(&queue)
        }
        #expect(ran.prefix(3) == [1, 2, 102])
        #expect(queue.depth == 7 && queue.counts.full > 0)
    }

    /// Its place is that of its frame, its time that of the attempt.
    @Test func whatIsDueLaterStillHasItsDeadline() throws {
        var queue = queue()
        try queue.offer(entry(1, deadline: .milliseconds(100), due: .seconds(30)))
        try queue.offer(entry(2, deadline: .seconds(20)))
        #expect(queue.expire(now: Self.start + .milliseconds(100)).map(\.id) == [1])
        #expect(order(&queue) == [2])
    }

    @Test func whatIsDueFirstIsNotRefusedForWhatItOvertakes() throws {
        var queue = queue()
        for id: UInt64 in 1...20 { try queue.offer(entry(id, deadline: .seconds(20))) }
        guard case .run = queue.take(now: Self.start) else { return #expect(Bool(false), "one runs") }
        try queue.offer(entry(21, deadline: .milliseconds(16)))
        #expect(throws: Admission.Refusal.self) { try queue.offer(entry(22, deadline: .milliseconds(17))) }
        guard case .run(let next) = queue.take(now: Self.start) else { return #expect(Bool(false), "one runs") }
        #expect(next.map(\.id) == [21])
    }

    @Test func aShortDeadlineBringsNobodyMoreThanItsShare() throws {
        var queue = queue()
        for id: UInt64 in 1...10 { try queue.offer(entry(id, of: 1, deadline: .seconds(20))) }
        for id: UInt64 in 11...20 { try queue.offer(entry(id, of: 2, deadline: .seconds(1))) }
        let half = order(&queue).prefix(10)
        #expect(half.count { $0 <= 10 } == 5, "\(half)")
    }

    @Test func whatIsOverdueCostsNoPass() throws {
        var queue = queue()
        for id: UInt64 in 1...3 { try queue.offer(entry(id, deadline: .milliseconds(100 * Int64(id)))) }
        let now = Self.start + .milliseconds(150)
        #expect(queue.expire(now: now).map(\.id) == [1])
        guard case .run(let batch) = queue.take(now: now) else { return #expect(Bool(false), "two wait") }
        #expect(batch.map(\.id) == [2] && queue.counts.expired == 1)
    }

    // ---- the order of arrival ----

    @Test func inTheOrderOfArrivalNobodyComesFirst() throws {
        var queue = queue(inOrderOfArrival: true)
        try queue.offer(entry(1, .batch, of: 1))
        try queue.offer(entry(2, .live, of: 1, deadline: .seconds(9)))
        try queue.offer(entry(3, .live, of: 1, deadline: .seconds(1)))
        try queue.offer(entry(4, .live, of: 2))
        try queue.offer(entry(5, .live, of: 1, deadline: .milliseconds(500)))
        #expect(order(&queue) == [1, 2, 3, 4, 5])
    }

    @Test func answersThatAreReadyTooSoonAreHeld() {
        var order = AnswerOrder<String>(groups: [0, 0, 2])
        for id: UInt64 in 1...4 { order.enter(id, lane: Int(id) % 2) }
        order.enter(5, lane: 2)
        #expect(order.finish(2, lane: 0, "two") == [])
        // Of another model.
        #expect(order.finish(5, lane: 2, "five") == ["five"])
        #expect(order.leave(3, lane: 1) == [])
        #expect(order.finish(1, lane: 1, "one") == ["one", "two"])
        #expect(order.finish(4, lane: 0, "four") == ["four"])
    }
}
