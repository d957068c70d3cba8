import Messages
import NIOCore
import RPC
import Services
import Vision

/// One net of each model, and the way of a batch through one lane: decode, check again who still waits, then the forward pass
/// of each stage; the second one at the same time on another worker that has nothing to do, where it does not need the first
/// one's boxes.
struct ModelRunner: BatchRunner {
    typealias Work = VisionWork
    typealias Answer = VisionAnswer

    let models: [any VisionModel]
    private let lanes: [ModelLane]
    private let limits: ImageLimits
    let now: @Sendable () -> NIODeadline
    /// Of one input, by model.
    private(set) var inputTimes: [ServiceTime]

    /// - Parameter passTimes: of a full batch of each model; empty: not known.
    init(
        models: [any VisionModel], lanes: [ModelLane], limits: ImageLimits, passTimes: [TimeAmount] = [],
        now: @Sendable @escaping () -> NIODeadline
    ) {
        self.models = models
        self.lanes = lanes
        self.limits = limits
        self.now = now
        inputTimes = Array(repeating: ServiceTime(), count: models.count)
        for (model, time) in passTimes.enumerated() {
            inputTimes[model].record(time, inputs: models[model].maxBatchSize)
        }
    }

    /// A request whose picture is decoded, and what is known of it so far.
    struct Prepared: Sendable {
        var index: Int
        var job: Job<VisionWork>
        var image: Image
        var inputs: [ModelInput] = []
        var answer: VisionAnswer

        /// - Throws: CANCELLED or DEADLINE_EXCEEDED when `step` would be done for nobody, or its answer has to leave without it.
        func check(before step: String, now: NIODeadline) throws(RPCError) {
            try job.check(before: step, now: now)
            guard case .success? = answer.detect, let answerBy = job.work.classify?.answerBy, answerBy <= now else {
                return
            }
            throw RPCError(.deadlineExceeded, "deadline passed before \(step)")
        }
    }

    mutating func run(
        _ jobs: [Job<VisionWork>], model lane: Int, at place: Workplace<ModelRunner>
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
        let aside = lane.detector == nil ? nil : lane.classifier.flatMap { classifyAside(prepared, $0, place) }
        if let detector = lane.detector {
            detect(&prepared, models[detector], isLast: lane.classifier == nil, place, &results)
        }
        if lane.detector != nil, lane.classifier != nil, !prepared.isEmpty { place.getsOn() }
        if let classes = aside?.classes() {
            take(classes, &prepared, since: decoded)
        } else if let classifier = lane.classifier {
            classify(&prepared, classifier, place, &results)
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
        _ batch: inout [Prepared], _ model: any VisionModel, isLast: Bool, _ place: Workplace<ModelRunner>,
        _ results: inout [Result<VisionAnswer, RPCError>]
    ) {
        for index in batch.indices { batch[index].inputs = [ModelInput(batch[index].image)] }
        let found = infer(batch, model, place.getsOn) { (inputs, works) throws(VisionError) in
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

    private mutating func classify(
        _ batch: inout [Prepared], _ model: Int, _ place: Workplace<ModelRunner>,
        _ results: inout [Result<VisionAnswer, RPCError>]
    ) {
        drop(&batch, &results) { (one) throws(RPCError) in
            guard let subject = one.job.work.classify?.subject else { return }
            var found: [Detection] = []
            if case .success(let detected)? = one.answer.detect { found = detected.output }
            do throws(RPCError) {
                (one.inputs, one.answer.boxes) = try subject.inputs(of: one.image, found: found)
            } catch {
                guard one.answer.detect != nil else { throw error }
                one.inputs = []
                one.answer.classify = .failure(error)
            }
        }
        leaveOutLate(&batch, model)
        let looking = batch.indices.filter { !batch[$0].inputs.isEmpty }
        let classes = classes(of: looking.map { batch[$0] }, model, place.getsOn)
        for (index, result) in zip(looking, classes) { batch[index].answer.classify = result }
    }

    static func isPartial(_ answer: VisionAnswer) -> Bool { answer.isPartial }

    /// What was detected in time is answered in time, if need be without classes.
    private mutating func leaveOutLate(_ batch: inout [Prepared], _ model: Int) {
        // Of the whole batch: what is left out makes it quicker, but of several that are late one may be tried.
        var isTried = false
        for index in batch.indices where !batch[index].inputs.isEmpty {
            guard case .success? = batch[index].answer.detect else { continue }
            let time = now()
            do throws(RPCError) {
                try batch[index].check(before: "classification", now: time)
                let inputs = batch.reduce(0) { $0 + $1.inputs.count }
                let needed = TimeAmount.nanoseconds(clamping: inputTimes[model].mean * Double(inputs))
                if let answerBy = batch[index].job.work.classify?.answerBy, answerBy < time + needed {
                    if !isTried, inputTimes[model].isTriedAnyway() {
                        isTried = true
                        continue
                    }
                    throw RPCError(
                        .deadlineExceeded, "deadline would pass: classification takes about \(needed.inMilliseconds)")
                }
            } catch {
                batch[index].inputs = []
                batch[index].answer.classify = .failure(error)
            }
        }
    }

    private func dropUnclassified(_ batch: inout [Prepared], _ results: inout [Result<VisionAnswer, RPCError>]) {
        drop(&batch, &results) { (one) throws(RPCError) in
            guard case .failure(let error)? = one.answer.classify else { return }
            // Where nothing was found either, or nobody waits any more, there is no answer.
            guard case .success? = one.answer.detect, error.code != .cancelled else { throw error }
        }
    }

    /// The inputs of each request through a classifier.
    mutating func classes(of batch: [Prepared], _ index: Int, _ getsOn: () -> Void) -> Classes {
        guard !batch.isEmpty else { return [] }
        let model = models[index]
        let start = now()
        let classes = infer(batch, model, getsOn) { (inputs, works) throws(VisionError) in
            try model.classify(inputs, topK: works.map { $0.classify?.topK ?? 0 })
        }
        if !classes.contains(where: \.isFailure) {
            inputTimes[index].record(now() - start, inputs: batch.reduce(0) { $0 + $1.inputs.count })
        }
        return classes
    }
}

extension Result {
    fileprivate var isFailure: Bool { if case .failure = self { true } else { false } }
}
