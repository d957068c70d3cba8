import Dispatch
import Foundation
import NIOCore
import RPC
import Services
import Synchronization
import Testing

@testable import Node

/// A worker that sleeps does a part of another one's batch.
@Suite(.timeLimit(.minutes(5))) struct HelperTests {
    @Test func whoSleepsHelpsOnItsOwnThread() async throws {
        try await ScriptedPool.with(workers: 2) { scripted in
            await scripted.untilSleeping(2)
            let notes = Notes()
            let answer = try await scripted.run(
                1,
                atPlace: { place in
                    notes.note("\(pthread_self())")
                    if place.offer({ _, _ in notes.note("\(pthread_self())") }).isDone() { notes.note("done") }
                })
            #expect(answer == 1)
            #expect(Set(notes.all).count == 3 && notes.all.last == "done", "two threads, and the end: \(notes.all)")
            // Both sleep again, and work.
            await scripted.untilSleeping(2)
            for name in 2...5 { try await #expect(scripted.run(name) == name) }
            #expect(scripted.pool.withQueue { [$0.counts.completed, UInt64($0.running)] } == [5, 0])
        }
    }

    @Test func withNobodyFreeThereIsNoHelp() async throws {
        try await ScriptedPool.with(workers: 1) { scripted in
            let notes = Notes()
            _ = try await scripted.run(
                1, atPlace: { notes.note($0.offer({ _, _ in notes.note("helped") }).isDone() ? "some" : "none") })
            #expect(notes.all == ["none"])
        }
        try await ScriptedPool.with(workers: 2) { scripted in
            let (gate, running) = await scripted.occupied()
            let notes = Notes()
            _ = try await scripted.run(
                1, atPlace: { notes.note($0.offer({ _, _ in notes.note("helped") }).isDone() ? "some" : "none") })
            #expect(notes.all == ["none"])
            gate.open()
            _ = try await running.value
        }
    }

    /// A batch that waits to be filled is no reason for its watcher to help others.
    @Test func whatWaitsComesBeforeHelp() async throws {
        try await ScriptedPool.with(workers: 2, models: 2, maxBatchSize: 2, delay: .hours(1)) { scripted in
            await scripted.untilSleeping(2)
            let lonely = Task { try await scripted.run(1, model: 0) }
            await scripted.untilWaiting(1)
            let notes = Notes()
            let full = (2...3).map { name in
                Task {
                    try await scripted.run(
                        name, model: 1,
                        atPlace: { notes.note($0.offer({ _, _ in notes.note("helped") }).isDone() ? "some" : "none") })
                }
            }
            for (name, task) in zip(2..., full) { try await #expect(task.value == name) }
            #expect(notes.all == ["none", "none"])
            lonely.cancel()
            #expect(await failure { try await lonely.value }?.code == .cancelled)
        }
    }

    /// Both work when it is offered; the first that has nothing to do takes it over.
    @Test func whoHasDoneItsOwnTakesOverWhatAnotherHasNotComeTo() async throws {
        try await ScriptedPool.with(workers: 2) { scripted in
            let (busy, running) = await scripted.occupied()
            let notes = Notes()
            let (offered, helped) = (Gate(), Gate())
            let asking = Task {
                try await scripted.run(
                    1,
                    atPlace: { place in
                        let offer = place.offer { _, _ in
                            notes.note("helped")
                            helped.pass()
                        }
                        offered.pass()
                        notes.note(offer.isDone() ? "done" : "alone")
                    })
            }
            await offered.isReached()
            #expect(notes.all.isEmpty)
            busy.open()
            _ = try await running.value
            await helped.isReached()
            // It waits for who has begun.
            offered.open()
            #expect(notes.all == ["helped"])
            helped.open()
            try await #expect(asking.value == 1)
            #expect(notes.all == ["helped", "done"])
            await scripted.untilSleeping(2)
            #expect(scripted.pool.state.withLock { $0.offers.isEmpty })
        }
    }

    /// Begun too late it would keep the rest of the batch.
    @Test(arguments: [-1, 1]) func whatIsBegunTooLateIsLeftToItsOwnWorker(_ milliseconds: Int64) async throws {
        let clock = TestClock()
        try await ScriptedPool.with(workers: 2, now: { clock.now }) { scripted in
            let (busy, running) = await scripted.occupied()
            let notes = Notes()
            let (asked, offered) = (clock.now + .milliseconds(milliseconds), Gate())
            let asking = Task {
                try await scripted.run(
                    1,
                    atPlace: { place in
                        let offer = place.offer(until: asked) { _, _ in notes.note("helped") }
                        offered.pass()
                        notes.note(offer.isDone() ? "done" : "alone")
                    })
            }
            await offered.isReached()
            busy.open()
            _ = try await running.value
            // Whoever helps has done it, whoever does not sleeps.
            await scripted.untilSleeping(1)
            offered.open()
            try await #expect(asking.value == 1)
            #expect(notes.all == (milliseconds < 0 ? ["alone"] : ["helped", "done"]))
        }
    }

    /// Requests that wait come first, and what its worker has come to is not on offer any more.
    @Test func whatIsNotTakenOverIsOnesOwn() async throws {
        try await ScriptedPool.with(workers: 2) { scripted in
            let (busy, running) = await scripted.occupied()
            let notes = Notes()
            let offered = Gate()
            let asking = Task {
                try await scripted.run(
                    1,
                    atPlace: { place in
                        let offer = place.offer { _, _ in notes.note("helped") }
                        offered.pass()
                        notes.note(offer.isDone() ? "done" : "alone")
                    })
            }
            await offered.isReached()
            let next = Gate()
            let waiting = scripted.occupy(next)
            await scripted.untilWaiting(1)
            busy.open()
            await next.isReached()
            offered.open()
            try await #expect(asking.value == 1)
            #expect(notes.all == ["alone"])
            next.open()
            _ = try await (running.value, waiting.value)
            // An offer that nobody has asked back ends with its batch.
            let (second, again) = await scripted.occupied()
            _ = try await scripted.run(2, atPlace: { place in _ = place.offer { _, _ in notes.note("late") } })
            second.open()
            _ = try await again.value
            await scripted.untilSleeping(2)
            #expect(notes.all == ["alone"])
        }
    }

    @Test func whatOneThatIsLostHasOfferedIsNotTakenOver() async throws {
        try await ScriptedPool.with(workers: 3) { scripted in
            let gates = [Gate(), Gate()]
            let running = gates.map { scripted.occupy($0) }
            for gate in gates { await gate.isReached() }
            let notes = Notes()
            let offered = Gate()
            let asking = Task {
                try await scripted.run(
                    1,
                    atPlace: { place in
                        let offer = place.offer { _, _ in notes.note("helped") }
                        offered.pass()
                        notes.note(offer.isDone() ? "done" : "alone")
                    })
            }
            await offered.isReached()
            let (worker, batch) = try #require(
                scripted.pool.inHand.enumerated().compactMap { worker, batch in batch.map { (worker, $0) } }
                    .max { $0.1 < $1.1 })
            #expect(scripted.pool.abandon(worker, batch: batch))
            #expect(await failure { try await asking.value }?.code == .internal)
            for gate in gates { gate.open() }
            for task in running { _ = try await task.value }
            await scripted.untilSleeping(2)
            // It comes back all the same, and nobody lets it wait.
            offered.open()
            while notes.all.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
            #expect(notes.all == ["alone"])
        }
    }

    @Test func helpIsPaidForAsWork() async throws {
        let clock = TestClock()
        try await ScriptedPool.with(workers: 2, now: { clock.now }) { scripted in
            await scripted.untilSleeping(2)
            let notes = Notes()
            _ = try await scripted.run(
                1,
                atPlace: { place in
                    clock.advance(by: .milliseconds(20))
                    let offer = place.offer { _, _ in
                        // Whose batch it is waits meanwhile, which is no work.
                        while !scripted.pool.state.withLock({ $0.inHand.contains { $0?.waitsSince != nil } }) {
                            // A worker's thread, which has nothing to await; the suite's time limit ends it.
                            usleep(100)
                        }
                        clock.advance(by: .milliseconds(30))
                    }
                    notes.note(offer.isDone() ? "helped" : "alone")
                })
            try #require(notes.all == ["helped"])
            await scripted.untilSleeping(2)
            #expect(scripted.pool.busyTime == .milliseconds(50))
            // Two run, half done, and one waits.
            let gates = [Gate(), Gate()]
            let running = gates.map { scripted.occupy($0) }
            for gate in gates { await gate.isReached() }
            let waiting = Task { try await scripted.run(2) }
            await scripted.untilWaiting(1)
            #expect(scripted.pool.withQueue { $0.estimatedWait } == .milliseconds(50))
            for gate in gates { gate.open() }
            for task in running + [waiting] { _ = try await task.value }
        }
    }

    @Test func whoHelpsOneThatIsLostIsLostWithIt() async throws {
        try await ScriptedPool.with(workers: 3) { scripted in
            await scripted.untilSleeping(3)
            let gate = Gate()
            let asked = Task {
                try await scripted.run(1, atPlace: { place in _ = place.offer({ _, _ in gate.pass() }).isDone() })
            }
            await gate.isReached()
            let inHand = scripted.pool.inHand.enumerated().compactMap { worker, batch in batch.map { (worker, $0) } }
            #expect(inHand.count == 2)
            // The errand is the newer one.
            let helper = try #require(inHand.max { $0.1 < $1.1 })
            #expect(scripted.pool.abandon(helper.0, batch: helper.1))
            #expect(await failure { try await asked.value }?.code == .internal)
            #expect(scripted.pool.leftBehind == inHand.map { $0.0 }.sorted())
            // The third one goes on.
            try await #expect(scripted.run(2) == 2)
            gate.open()
        }
    }

    // ---- getting on ----

    @Test func whoGetsOnIsNotLost() async throws {
        try await ScriptedPool.with(workers: 2) { scripted in
            await scripted.untilSleeping(2)
            let (before, after) = (Gate(), Gate())
            let running = Task {
                try await scripted.run(
                    1,
                    atPlace: { place in
                        let offer = place.offer { _, getsOn in
                            before.pass()
                            getsOn()
                            after.pass()
                        }
                        _ = offer.isDone()
                    })
            }
            await before.isReached()
            var watch = WorkerWatch(looks: 2)
            let first = scripted.pool.inHand
            #expect(watch.look(at: first) == nil)
            #expect(!first.contains(nil))
            before.open()
            await after.isReached()
            // Nor is the one that waits for it.
            let second = scripted.pool.inHand
            #expect(watch.look(at: second) == nil)
            #expect(zip(first, second).allSatisfy { $0 != $1 })
            #expect(watch.look(at: scripted.pool.inHand) != nil)
            // What was seen before it got on is no reason to give it up.
            for (worker, batch) in first.enumerated() {
                if let batch { #expect(!scripted.pool.abandon(worker, batch: batch)) }
            }
            after.open()
            try await #expect(running.value == 1)
        }
    }

    // ---- order ----

    @Test func answersComeInTheOrderOfTheRequests() async throws {
        try await ScriptedPool.with(workers: 2, isOrdered: true) { scripted in
            let (gate, first) = await scripted.occupied()
            let told = Notes()
            var later: [Task<Void, any Error>] = []
            for name in 1...3 {
                later.append(
                    Task {
                        _ = try await scripted.run(name, name == 3 ? .live : .batch)
                        told.note("\(name)")
                    })
                while scripted.ran.count < name + 1 { try await Task.sleep(for: .milliseconds(1)) }
            }
            while scripted.pool.withQueue({ $0.counts.completed }) != 3 { try await Task.sleep(for: .milliseconds(1)) }
            #expect(told.all.isEmpty, "they are held")
            gate.open()
            try await #expect(first.value == 0)
            for task in later { try await task.value }
            #expect(scripted.ran == [0, 1, 2, 3] && Set(told.all) == ["1", "2", "3"])
        }
    }
}
