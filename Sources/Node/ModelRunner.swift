import Dispatch
import Messages
import NIOCore
import RPC
import Synchronization
import Vision

/// One net of each model, and the way of a batch through one lane: decode, check again who still waits, then the forward pass
/// of each stage; where another worker sleeps and does not need the first one's boxes, the second one there at the same time.
struct ModelRunner: BatchRunner {
    typealias Work = VisionWork
    typealias Answer = VisionAnswer

    /// Inputs of one forward call. A request with more (many regions) is looked at again between calls.
    static let maxInputsPerCall = 16

    private let models: [any VisionModel]
    private let lanes: [ModelLane]
    private let limits: ImageLimits
    private let now: @Sendable () -> NIODeadline

    init(
        models: [any VisionModel], lanes: [ModelLane], limits: ImageLimits, now: @Sendable @escaping () -> NIODeadline
    ) {
        self.models = models
        self.lanes = lanes
        self.limits = limits
        self.now = now
    }

    /// A request whose picture is decoded, and what is known of it so far.
    private struct Prepared: Sendable {
        var index: Int
        var job: Job<VisionWork>
        var image: Image
        var inputs: [ModelInput] = []
        var answer: VisionAnswer
    }

    func run(
        _ jobs: [Job<VisionWork>], model lane: Int, helpers: Helpers<ModelRunner>
    ) -> [Result<VisionAnswer, RPCError>] {
        // Each slot is filled below; one that were not would say so.
        var results = [Result<VisionAnswer, RPCError>](
            repeating: .failure(RPCError(.internal, "the worker lost the frame")), count: jobs.count)
        let start = now()
        var prepared: [Prepared] = []
        for (index, job) in jobs.enumerated() {
            do throws(RPCError) {
                prepared.append(try prepare(job, index))
            } catch {
                results[index] = .failure(error)
            }
        }
        let decoded = now()
        for index in prepared.indices { prepared[index].answer.decode = decoded - start }
        drop(&prepared, &results) { (one) throws(RPCError) in try one.job.check(before: "inference", now: decoded) }
        let lane = lanes[lane]
        let aside = lane.detector == nil ? nil : lane.classifier.flatMap { classifyAside(prepared, $0, helpers) }
        if let detector = lane.detector {
            detect(&prepared, models[detector], isLast: lane.classifier == nil, &results)
        }
        if let aside {
            aside.wait()
            take(aside.classes, &prepared, since: decoded)
        } else if let classifier = lane.classifier {
            classify(&prepared, models[classifier], &results)
        }
        dropUnclassified(&prepared, &results)
        for one in prepared { results[one.index] = .success(one.answer) }
        return results
    }

    /// Takes those out for which `check` throws.
    private func drop(
        _ batch: inout [Prepared], _ results: inout [Result<VisionAnswer, RPCError>],
        unless check: (inout Prepared) throws(RPCError) -> Void
    ) {
        var kept: [Prepared] = []
        for var one in batch {
            do throws(RPCError) {
                try check(&one)
                kept.append(one)
            } catch {
                results[one.index] = .failure(error)
            }
        }
        batch = kept
    }

    private func prepare(_ job: Job<VisionWork>, _ index: Int) throws(RPCError) -> Prepared {
        try job.check(before: "decoding", now: now())
        let image: Image
        do throws(VisionError) {
            image = try Image(decoding: job.work.frame, limits: limits)
        } catch {
            throw RPCError(error)
        }
        return Prepared(
            index: index, job: job, image: image,
            answer: VisionAnswer(width: image.width, height: image.height, decode: .zero))
    }

    // ---- stages ----

    /// - Parameter isLast: a request whose detection fails has nothing else to say.
    private func detect(
        _ batch: inout [Prepared], _ model: any VisionModel, isLast: Bool,
        _ results: inout [Result<VisionAnswer, RPCError>]
    ) {
        for index in batch.indices { batch[index].inputs = [ModelInput(batch[index].image)] }
        let found = infer(batch, model) { (inputs, works) throws(VisionError) in
            try model.detect(inputs, minConfidence: works.map { $0.detect?.minConfidence ?? 0 })
        }
        for (index, result) in zip(batch.indices, found) {
            batch[index].answer.detect = result.map { StageAnswer(output: $0.output.first ?? [], times: $0.times) }
        }
        drop(&batch, &results) { (one) throws(RPCError) in
            guard case .failure(let error)? = one.answer.detect else { return }
            // The whole frame can be classified all the same.
            if case .frame? = one.job.work.classify?.subject, !isLast { return }
            throw error
        }
    }

    private func classify(
        _ batch: inout [Prepared], _ model: any VisionModel, _ results: inout [Result<VisionAnswer, RPCError>]
    ) {
        drop(&batch, &results) { (one) throws(RPCError) in
            guard let subject = one.job.work.classify?.subject else { return }
            var found: [Detection] = []
            if case .success(let detected)? = one.answer.detect {
                try one.job.check(before: "classification", now: now())
                found = detected.output
            }
            do throws(RPCError) {
                (one.inputs, one.answer.boxes) = try subject.inputs(of: one.image, found: found)
            } catch {
                guard one.answer.detect != nil else { throw error }
                one.inputs = []
                one.answer.classify = .failure(error)
            }
        }
        let looking = batch.indices.filter { !batch[$0].inputs.isEmpty }
        let classes = classes(of: looking.map { batch[$0] }, model)
        for (index, result) in zip(looking, classes) { batch[index].answer.classify = result }
    }

    private func dropUnclassified(_ batch: inout [Prepared], _ results: inout [Result<VisionAnswer, RPCError>]) {
        drop(&batch, &results) { (one) throws(RPCError) in
            guard case .failure(let error)? = one.answer.classify else { return }
            // Where nothing was found either, or nobody waits any more, there is no answer.
            guard case .success? = one.answer.detect, error.code != .cancelled, error.code != .deadlineExceeded else {
                throw error
            }
        }
    }

    private typealias Classes = [Result<StageAnswer<[[Classification]]>, RPCError>]

    private func classes(of batch: [Prepared], _ model: any VisionModel) -> Classes {
        infer(batch, model) { (inputs, works) throws(VisionError) in
            try model.classify(inputs, topK: works.map { $0.classify?.topK ?? 0 })
        }
    }

    // ---- on another worker ----

    /// Classes that another worker finds out meanwhile, of each request.
    private final class Aside: Sendable {
        private let found = Mutex<Classes>([])
        private let done = Mutex<DispatchSemaphore?>(nil)

        var classes: Classes { found.withLock { $0 } }
        func set(_ classes: Classes) { found.withLock { $0 = classes } }
        func isBegun(_ semaphore: DispatchSemaphore) { done.withLock { $0 = semaphore } }
        func wait() { done.withLock { $0 }?.wait() }
    }

    /// The pictures of the batch through the second model, on a worker that sleeps.
    /// - Returns: nil: nobody is free, or what is to be classified is not known yet.
    private func classifyAside(_ batch: [Prepared], _ model: Int, _ helpers: Helpers<ModelRunner>) -> Aside? {
        guard !batch.isEmpty else { return nil }
        var batch = batch
        for index in batch.indices {
            guard case .frame? = batch[index].job.work.classify?.subject else { return nil }
            batch[index].inputs = [ModelInput(batch[index].image)]
        }
        let aside = Aside()
        let done = helpers.ask { [batch] runner in aside.set(runner.classes(of: batch, runner.models[model])) }
        guard let done else { return nil }
        aside.isBegun(done)
        return aside
    }

    /// - Parameter start: when both stages began.
    private func take(_ classes: Classes, _ batch: inout [Prepared], since start: NIODeadline) {
        let elapsed = now() - start
        // None of them was dropped: each can be classified, whatever became of its detection.
        for (index, result) in zip(batch.indices, classes) {
            batch[index].answer.classify = result
            let sum = batch[index].answer.times.reduce(TimeAmount.zero) { $0 + $1.times.total }
            batch[index].answer.overlap = max(.zero, sum - elapsed)
        }
    }

    private typealias Pass<Output> = ([ModelInput], [VisionWork]) throws(VisionError) -> (
        found: [Output], times: StageTimes
    )

    /// If a batch fails, each of its requests runs alone, so that only the guilty one fails.
    /// - Returns: the outputs of each request, in their order.
    private func infer<Output: Sendable>(
        _ batch: [Prepared], _ model: any VisionModel, _ pass: Pass<Output>
    ) -> [Result<StageAnswer<[Output]>, RPCError>] {
        guard !batch.isEmpty else { return [] }
        do throws(RPCError) {
            let (outputs, times) = try forward(batch, model, pass)
            var rest = outputs[...]
            return batch.map { one in
                let own = Array(rest.prefix(one.inputs.count))
                rest = rest.dropFirst(one.inputs.count)
                return .success(StageAnswer(output: own, times: times))
            }
        } catch {
            if batch.count == 1 { return [.failure(error)] }
            return batch.flatMap { infer([$0], model, pass) }
        }
    }

    private func forward<Output>(
        _ batch: [Prepared], _ model: any VisionModel, _ pass: Pass<Output>
    ) throws(RPCError) -> ([Output], StageTimes) {
        let all = batch.flatMap { one in one.inputs.map { (input: $0, work: one.job.work) } }
        var outputs: [Output] = []
        var times = StageTimes()
        let step = max(Self.maxInputsPerCall, model.maxBatchSize)
        for first in stride(from: 0, to: all.count, by: step) {
            // Only a request that is alone has more inputs than one call takes, or one whose boxes were found here.
            if first > 0, batch.count == 1 {
                try batch[0].job.check(before: "inference of region \(first)", now: now())
            }
            let part = all[first..<min(first + step, all.count)]
            do throws(VisionError) {
                let (found, stages) = try pass(part.map(\.input), part.map(\.work))
                outputs += found
                times.add(stages)
            } catch {
                throw RPCError(error)
            }
        }
        guard outputs.count == all.count else {
            throw RPCError(
                .internal, "model \(model.manifest.name) gave \(outputs.count) outputs for \(all.count) inputs")
        }
        return (outputs, times)
    }
}
