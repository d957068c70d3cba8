import NIOCore
import RPC
import Testing

@testable import Node

@Suite(.timeLimit(.minutes(5))) struct WorkerWatchTests {
    @Test func aWorkerThatStaysAtOneBatchIsLost() {
        var watch = WorkerWatch(looks: 3)
        #expect(watch.look(at: [7, nil]) == nil)
        #expect(watch.look(at: [7, 8]) == nil)
        let lost = watch.look(at: [7, 8])
        #expect(lost?.worker == 0)
        #expect(lost?.batch == 7)
    }

    @Test func aBusyWorkerIsNotLost() {
        var watch = WorkerWatch(looks: 2)
        for batch in 0..<10 { #expect(watch.look(at: [UInt64(batch)]) == nil) }
        #expect(watch.look(at: [nil]) == nil)
        #expect(watch.look(at: [9]) == nil)
    }

    @Test func anAbandonedBatchIsAnsweredOnceAndThePoolStillEnds() async throws {
        let gate = Gate()
        try await ScriptedPool.with(workers: 2) { scripted in
            let running = scripted.occupy(gate)
            await gate.isReached()
            let (worker, batch) = try #require(
                scripted.pool.inHand.enumerated().compactMap { worker, batch in batch.map { (worker, $0) } }.first)
            #expect(!scripted.pool.abandon(worker, batch: batch + 1))
            #expect(scripted.pool.abandon(worker, batch: batch))
            #expect(!scripted.pool.abandon(worker, batch: batch))
            #expect(await failure { try await running.value }?.code == .internal)
            // The other worker goes on.
            for name in 1...3 { try await #expect(scripted.run(name) == name) }
            #expect(scripted.pool.withQueue { $0.running } == 0)
        }
        // Comes back when all is over.
        gate.open()
    }

    @Test func aPoolWhoseOnlyWorkerIsLostEnds() async throws {
        let gate = Gate()
        try await ScriptedPool.with { scripted in
            let running = scripted.occupy(gate)
            await gate.isReached()
            let waiting = Task { try await scripted.run(1) }
            await scripted.untilWaiting(1)
            let batch = try #require(scripted.pool.inHand[0])
            #expect(scripted.pool.abandon(0, batch: batch))
            #expect(await failure { try await running.value }?.code == .internal)
            await scripted.pool.stop()
            #expect(await failure { try await waiting.value }?.code == .unavailable)
        }
        gate.open()
    }
}
