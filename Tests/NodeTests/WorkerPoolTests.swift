import NIOCore
import RPC
import Testing

@testable import Node

@Suite(.timeLimit(.minutes(5))) struct WorkerPoolTests {
    @Test func everyRequestGetsItsOwnAnswer() async throws {
        try await ScriptedPool.with(workers: 3, limit: 2000, maxBatchSize: 4) { scripted in
            let answers = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
                for name in 0..<1000 { group.addTask { (name, try await scripted.run(name)) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0.0 == $0.1 })
            #expect(scripted.ran.sorted() == Array(0..<1000))
            #expect(scripted.pool.withQueue { $0.counts.completed } == 1000)
        }
    }

    @Test func aFullQueueRefusesAtOnce() async throws {
        try await ScriptedPool.with(limit: 2) { scripted in
            let (gate, running) = await scripted.occupied()
            let waiting = (1...2).map { name in Task { try await scripted.run(name) } }
            await scripted.untilWaiting(2)
            let refusal = await failure { try await scripted.run(3) }
            #expect(refusal?.code == .resourceExhausted)
            #expect(refusal?.message == "queue is full: 2 frames wait (limit 2)")
            gate.open()
            try await #expect(running.value == 0)
            for (name, task) in zip(1..., waiting) { try await #expect(task.value == name) }
            #expect(
                scripted.pool.withQueue { [$0.counts.accepted, $0.counts.completed, $0.counts.onArrival] } == [3, 3, 1])
        }
    }

    @Test func aRequestThatGivesWayIsTold() async throws {
        try await ScriptedPool.with(limit: 2) { scripted in
            let (gate, running) = await scripted.occupied()
            let older = Task { try await scripted.run(1) }
            await scripted.untilWaiting(1)
            let newer = Task { try await scripted.run(2) }
            await scripted.untilWaiting(2)
            let other = Task { try await scripted.run(3, of: 1) }
            let refusal = await failure { try await newer.value }
            #expect(refusal?.code == .resourceExhausted && refusal?.pushback != nil)
            gate.open()
            for (name, task) in [(0, running), (1, older), (3, other)] { try await #expect(task.value == name) }
            #expect(
                scripted.pool.withQueue { [$0.counts.accepted, $0.counts.completed, $0.counts.displaced] } == [4, 3, 1])
        }
    }

    @Test func aCancelledRequestLeavesTheQueueAndNeverRuns() async throws {
        try await ScriptedPool.with { scripted in
            let (gate, running) = await scripted.occupied()
            let waiting = Task { try await scripted.run(1) }
            await scripted.untilWaiting(1)
            waiting.cancel()
            #expect(await failure { try await waiting.value }?.code == .cancelled)
            #expect(scripted.pool.withQueue { $0.depth } == 0)
            gate.open()
            _ = try await running.value
            try await #expect(scripted.run(2) == 2)
            #expect(scripted.ran == [0, 2])
            #expect(scripted.pool.withQueue { $0.counts.cancelled } == 1)
        }
    }

    @Test func aRequestOfACancelledTaskIsNotQueued() async throws {
        try await ScriptedPool.with { scripted in
            let task = Task {
                while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(1)) }
                return try await scripted.run(1)
            }
            task.cancel()
            #expect(await failure { try await task.value }?.code == .cancelled)
            #expect(scripted.ran.isEmpty)
        }
    }

    @Test func aWorkerSeesThatItsRequestWasCancelled() async throws {
        try await ScriptedPool.with { scripted in
            let (gate, running) = await scripted.occupied()
            running.cancel()
            gate.open()
            #expect(await failure { try await running.value }?.code == .cancelled)
            #expect(scripted.pool.withQueue { $0.counts.cancelled } == 1)
        }
    }

    @Test func whatWaitedBeyondItsDeadlineNeverRuns() async throws {
        let clock = TestClock()
        try await ScriptedPool.with(now: { clock.now }) { scripted in
            let (gate, running) = await scripted.occupied()
            let late = Task { try await scripted.run(1, deadline: clock.now + .milliseconds(10)) }
            await scripted.untilWaiting(1)
            clock.advance(by: .milliseconds(10))
            gate.open()
            #expect(await failure { try await late.value }?.code == .deadlineExceeded)
            _ = try await running.value
            #expect(scripted.ran == [0])
            #expect(scripted.pool.withQueue { $0.counts.expired } == 1)
        }
    }

    @Test func whatCannotBeDoneAnyMoreMakesRoom() async throws {
        let clock = TestClock()
        try await ScriptedPool.with(limit: 1, now: { clock.now }) { scripted in
            let (gate, running) = await scripted.occupied()
            let late = Task { try await scripted.run(1, deadline: clock.now + .milliseconds(10)) }
            await scripted.untilWaiting(1)
            clock.advance(by: .milliseconds(10))
            let next = Task { try await scripted.run(2) }
            #expect(await failure { try await late.value }?.code == .deadlineExceeded)
            gate.open()
            _ = try await running.value
            try await #expect(next.value == 2)
        }
    }

    @Test func aFullBatchRunsTogetherWithoutItsDelay() async throws {
        try await ScriptedPool.with(workers: 2, maxBatchSize: 4, delay: .hours(1)) { scripted in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for name in 0..<8 { group.addTask { try await #expect(scripted.run(name) == name) } }
                try await group.waitForAll()
            }
            #expect(scripted.batches.map(\.count) == [4, 4])
        }
    }

    @Test func aLonelyRequestRunsAfterTheDelay() async throws {
        try await ScriptedPool.with(maxBatchSize: 4, delay: .milliseconds(5)) { scripted in
            let served = try await scripted.pool.run(
                .init(name: 1), client: CallOrigin(0), model: 0, inputs: 1, deadline: nil)
            #expect(served.queued >= .milliseconds(5))
        }
    }

    @Test func aBatchThatWaitsIsLookedAfterWhileAnotherModelRuns() async throws {
        // Long enough that the lonely request still waits when the other two have come, on a busy machine too.
        try await ScriptedPool.with(workers: 2, models: 2, maxBatchSize: 2, delay: .seconds(15)) { scripted in
            await scripted.untilSleeping(2)
            // The worker that slept last watches over the lonely request, then gets both halves of the full batch.
            let lonely = Task { try await scripted.run(1, model: 0) }
            await scripted.untilWaiting(1)
            await scripted.untilSleeping(2)
            let gate = Gate()
            let half = scripted.occupy(gate, model: 1)
            await scripted.untilWaiting(2)
            await scripted.untilSleeping(2)
            let otherHalf = Task { try await scripted.run(2, model: 1) }
            // Only the other worker can run it, and must have been told when.
            try await #expect(lonely.value == 1)
            gate.open()
            for task in [half, otherHalf] { _ = try await task.value }
        }
    }

    @Test func oneFailureOfABatchFailsOnlyItself() async throws {
        try await ScriptedPool.with(maxBatchSize: 3, delay: .hours(1)) { scripted in
            let tasks = (0..<3).map { name in
                Task {
                    try await scripted.run(name) { () throws(RPCError) in
                        if name == 1 { throw RPCError(.invalidArgument, "bad picture") }
                    }
                }
            }
            try await #expect(tasks[0].value == 0)
            #expect(await failure { try await tasks[1].value }?.message == "bad picture")
            try await #expect(tasks[2].value == 2)
            #expect(scripted.pool.withQueue { $0.counts.completed } == 3)
        }
    }

    @Test func stoppingFinishesWhatRunsAndRefusesWhatWaits() async throws {
        try await ScriptedPool.with { scripted in
            let (gate, running) = await scripted.occupied()
            let waiting = Task { try await scripted.run(1) }
            await scripted.untilWaiting(1)
            // Also from a task that is cancelled: a server's always is.
            let stopping = Task {
                while !Task.isCancelled { try? await Task.sleep(for: .milliseconds(1)) }
                await scripted.pool.stop()
                return scripted.ran
            }
            stopping.cancel()
            #expect(await failure { try await waiting.value }?.code == .unavailable)
            gate.open()
            try await #expect(running.value == 0)
            #expect(await stopping.value == [0])
            #expect(await failure { try await scripted.run(2) }?.code == .unavailable)
        }
    }

    @Test func aWorkerThatDoesNotComeBackIsLeftBehind() async throws {
        try await ScriptedPool.with(workers: 2) { scripted in
            let (gate, running) = await scripted.occupied()
            let stopping = Task { await scripted.pool.stop() }
            while scripted.pool.withQueue({ $0.running }) != 1 { try await Task.sleep(for: .milliseconds(1)) }
            scripted.pool.abandonAll()
            #expect(scripted.pool.leftBehind.count == 1)
            #expect(await failure { try await running.value }?.code == .internal)
            await stopping.value
            scripted.pool.abandonAll()
            #expect(scripted.pool.leftBehind.count == 1)
            gate.open()
        }
    }

    @Test func aRunnerThatCannotBeMadeFailsTheStart() async throws {
        let pool = WorkerPool<ScriptedRunner>(
            queue: WorkQueue(
                admission: Admission(limit: 1, workers: 2), batchers: [Batcher(maxBatchSize: 1, maxQueueDelay: .zero)]),
            workers: 2)
        await #expect(throws: NodeError.self) {
            try await pool.start { worker in
                if worker == 1 { throw NodeError("model is missing") }
                return ScriptedRunner(log: .init(), now: { .now() })
            }
        }
    }

    /// Their stacks are larger than there are addresses.
    @Test func workersWithoutThreadsFailTheStart() async throws {
        let pool = WorkerPool<ScriptedRunner>(
            queue: WorkQueue(
                admission: Admission(limit: 1, workers: 2), batchers: [Batcher(maxBatchSize: 1, maxQueueDelay: .zero)]),
            workers: 2, stackBytes: 1 << 60)
        await #expect {
            try await pool.start { _ in ScriptedRunner(log: .init(), now: { .now() }) }
        } throws: { error in
            "\(error)".hasPrefix("cannot start the thread 'worker-")
        }
    }
}
