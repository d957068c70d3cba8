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

        fileprivate init(
            _ batch: [Prepared], _ model: Int, until latestStart: NIODeadline, _ place: Workplace<ModelRunner>
        ) {
            let slot = Slot()
            self.slot = slot
            offer = place.offer(until: latestStart) { runner, getsOn in
                let classes = runner.classesOfWaiting(batch, model, getsOn)
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
        return Aside(batch, model, until: latestStart(of: batch, model), place)
    }

    /// Boxes that are found are not to wait for classes that would come too late for their answer.
    private func latestStart(of batch: [Prepared], _ model: Int) -> NIODeadline {
        guard let answerBy = batch.compactMap({ $0.job.work.classify?.answerBy }).min() else { return .distantFuture }
        return answerBy - .nanoseconds(clamping: inputTimes[model].mean * Double(batch.count))
    }

    /// Classes of those that are still waited for.
    private mutating func classesOfWaiting(
        _ batch: [Prepared], _ model: Int, _ getsOn: () -> Void
    ) -> Classes {
        let time = now()
        let ends = batch.map { one -> RPCError? in
            do throws(RPCError) {
                try one.job.check(before: "classification", now: time)
                return nil
            } catch {
                return error
            }
        }
        let waiting = zip(batch, ends).filter { $0.1 == nil }.map(\.0)
        var found = classes(of: waiting, model, getsOn).makeIterator()
        return ends.map { end in
            if let end { return .failure(end) }
            return found.next() ?? .failure(RPCError(.internal, "the worker lost the frame"))
        }
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
