import Dispatch
import Metrics
import NIOCore
import RPC
import Synchronization

/// What happens on the workers' threads.
extension WorkerPool {
    private enum Step: Sendable {
        case run([Queue.Entry], bell: Int?)
        case help(Errand)
        case sleep(until: NIODeadline?)
        case end
    }

    func work(as worker: Int, with runner: inout Runner) {
        while true {
            switch next(for: worker) {
            case .run(let batch, let bell):
                // Someone else looks after those that still wait for their batch to fill.
                if let bell { bells[bell].signal() }
                run(batch, as: worker, with: &runner)
            case .help(let errand): help(with: errand, as: worker, with: &runner)
            case .sleep(let until):
                let until = min(until ?? .distantFuture, now() + longestSleep)
                _ = bells[worker].wait(timeout: DispatchTime(uptimeNanoseconds: until.uptimeNanoseconds))
            case .end: return
            }
        }
    }

    private func next(for worker: Int) -> Step {
        let now = now()
        let (told, step) = state.withLock { state -> ([Told], Step) in
            // Still there if its sleep ended by time.
            state.idle.removeAll { $0 == worker }
            // Somebody waits for it.
            if let errand = state.errands.removeValue(forKey: worker) { return ([], .help(errand)) }
            let expired = state.queue.expire(now: now).map { Told($0, .expiredInQueue) }
            if state.abandoned.contains(worker) { return (state.without(expired), .end) }
            let late = state.queue.giveUpLate(now: now)
            let told = state.without(
                expired + late.map { Told($0, .lateInQueue(behind: state.queue.estimatedWait)) })
            switch state.queue.take(now: now) {
            case .run(let batch):
                state.give(batch, to: worker, now: now)
                return (told, .run(batch, bell: state.queue.depth > 0 ? state.idle.popLast() : nil))
            case _ where state.isStopping: return (told, .end)
            case .sleep:
                if let errand = state.takeOffer(for: worker, now: now) { return (told, .help(errand)) }
                state.idle.append(worker)
                return (told, .sleep(until: nil))
            case .wait(let until):
                state.idle.append(worker)
                return (told, .sleep(until: until))
            }
        }
        for told in told { told.tell() }
        return step
    }

    private func run(_ batch: [Queue.Entry], as worker: Int, with runner: inout Runner) {
        guard let model = batch.first?.model else { return }
        let start = now()
        let place = Workplace(
            lend: { self.lend($0, until: $1, of: worker) }, getsOn: { self.getsOn(worker) })
        let results = runner.run(batch.map(\.payload.job), model: model, at: place)
        let end = now()
        metrics?.batchSize.record(batch.count)
        // Counted before it is told, so that a client that asks after its answer finds it counted.
        let told = state.withLock { state -> [Told] in
            let helped = state.helped[worker]
            state.helped[worker] = .zero
            // Abandoned meanwhile: it is answered.
            guard let worked = state.takeBack(from: worker, at: end) else { return [] }
            // Clients pay for all the work there was.
            state.queue.finish(
                batch, results.map { Queue.End($0, isPartial: Runner.isPartial) }, elapsed: worked + helped)
            return state.answers(
                zip(batch, results).map { entry, result in
                    Told(entry, result.map { Served(answer: $0, queued: start - entry.arrival) })
                })
        }
        for told in told { told.tell() }
    }

    private func getsOn(_ worker: Int) { state.withLock { $0.getsOn(worker) } }

    /// What comes while a worker helps waits for the first that is free, as it would with more requests at work.
    private func lend(
        _ body: @escaping Workplace<Runner>.Errand, until latestStart: NIODeadline, of worker: Int
    ) -> @Sendable () -> Bool {
        let start = now()
        let (errand, helper) = state.withLock { state in
            let errand = Errand(number: state.nextNumber(), body: body, latestStart: latestStart, worker: worker)
            return (errand, state.lend(errand, now: start))
        }
        if let helper { bells[helper].signal() }
        return { [self] in
            let reclaimed = now()
            if state.withLock({ $0.reclaim(errand, now: reclaimed) }) { return false }
            errand.done.wait()
            let done = now()
            state.withLock { $0.waitEnds(worker, now: done) }
            return true
        }
    }

    private func help(with errand: Errand, as worker: Int, with runner: inout Runner) {
        let start = now()
        errand.body(&runner) { getsOn(worker) }
        let end = now()
        state.withLock { state in
            _ = state.takeBack(from: worker, at: end)
            if state.inHand[errand.worker] != nil {
                state.helped[errand.worker] = state.helped[errand.worker] + (end - start)
            }
        }
        errand.done.signal()
    }
}

/// Then a worker looks at the queue again, bell or not.
private let longestSleep = TimeAmount.hours(1)
