import Dispatch
import Messages
import NIOCore
import RPC
import Synchronization
import Vision

/// The second stage of a batch on another worker.
extension ModelRunner {
    typealias Classes = [Result<StageAnswer<[[Classification]]>, RPCError>]

    /// Classes that another worker may find out meanwhile.
    struct Aside {
        private final class Slot: Sendable { let classes = Mutex<Classes>([]) }

        private let slot: Slot
        private let offer: Workplace<ModelRunner>.Offer

        fileprivate init(_ batch: [Prepared], _ model: Int, _ place: Workplace<ModelRunner>) {
            let slot = Slot()
            self.slot = slot
            offer = place.offer { runner, getsOn in
                let classes = runner.classes(of: batch, model, getsOn)
                slot.classes.withLock { $0 = classes }
            }
        }

        /// Waits for whoever has begun.
        /// - Returns: of each request; nil: nobody has, and nobody will.
        func classes() -> Classes? { offer.isDone() ? slot.classes.withLock { $0 } : nil }
    }

    /// Offers the pictures of the batch to others, for the second model.
    /// - Returns: nil: what is to be classified is not known yet.
    func classifyAside(_ batch: [Prepared], _ model: Int, _ place: Workplace<ModelRunner>) -> Aside? {
        guard !batch.isEmpty else { return nil }
        var batch = batch
        for index in batch.indices {
            guard case .frame? = batch[index].job.work.classify?.subject else { return nil }
            batch[index].inputs = [ModelInput(batch[index].image)]
        }
        return Aside(batch, model, place)
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
