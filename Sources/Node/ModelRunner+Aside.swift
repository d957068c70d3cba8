import Dispatch
import Messages
import NIOCore
import RPC
import Synchronization
import Vision

/// The second stage of a batch on another worker.
extension ModelRunner {
    typealias Classes = [Result<StageAnswer<[[Classification]]>, RPCError>]

    /// Classes that another worker finds out meanwhile, of each request.
    final class Aside: Sendable {
        private let found = Mutex<Classes>([])
        private let done = Mutex<DispatchSemaphore?>(nil)

        var classes: Classes { found.withLock { $0 } }
        func set(_ classes: Classes) { found.withLock { $0 = classes } }
        func isBegun(_ semaphore: DispatchSemaphore) { done.withLock { $0 = semaphore } }
        func wait() { done.withLock { $0 }?.wait() }
    }

    /// The pictures of the batch through the second model, on a worker that sleeps.
    /// - Returns: nil: nobody is free, or what is to be classified is not known yet.
    func classifyAside(_ batch: [Prepared], _ model: Int, _ place: Workplace<ModelRunner>) -> Aside? {
        guard !batch.isEmpty else { return nil }
        var batch = batch
        for index in batch.indices {
            guard case .frame? = batch[index].job.work.classify?.subject else { return nil }
            batch[index].inputs = [ModelInput(batch[index].image)]
        }
        let aside = Aside()
        let done = place.ask { [batch] runner, getsOn in aside.set(runner.classes(of: batch, model, getsOn)) }
        guard let done else { return nil }
        aside.isBegun(done)
        return aside
    }

    /// - Parameter start: when both stages began.
    func take(_ classes: Classes, _ batch: inout [Prepared], since start: NIODeadline) {
        let elapsed = now() - start
        // None of them was dropped: each can be classified, whatever became of its detection.
        for (index, result) in zip(batch.indices, classes) {
            batch[index].answer.classify = result
            let sum = batch[index].answer.times.reduce(TimeAmount.zero) { $0 + $1.times.total }
            batch[index].answer.overlap = max(.zero, sum - elapsed)
        }
    }
}
