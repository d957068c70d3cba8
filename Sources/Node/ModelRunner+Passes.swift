import NIOCore
import RPC
import Vision

extension ModelRunner {
    /// Inputs of one forward call. Between calls those that nobody waits for any more are left out.
    static let maxInputsPerCall = 16

    typealias Pass<Output> = ([ModelInput], [VisionWork]) throws(VisionError) -> (
        found: [Output], times: StageTimes
    )

    /// All inputs of a batch through one model, as many at a time as one call takes. If a call fails, each of its requests runs
    /// alone, so that only the guilty one fails.
    /// - Parameter getsOn: called between calls.
    /// - Returns: the outputs of each request, in their order.
    func infer<Output: Sendable>(
        _ batch: [Prepared], _ model: any VisionModel, _ getsOn: () -> Void, _ pass: Pass<Output>
    ) -> [Result<StageAnswer<[Output]>, RPCError>] {
        var passes = Passes<Output>(batch, model: model.manifest.name)
        let most = max(Self.maxInputsPerCall, model.maxBatchSize)
        while let part = passes.next(most) {
            let isDone = passes.run(part, pass)
            if !isDone, part.count > 1 {
                for one in part {
                    getsOn()
                    _ = passes.run([one], pass)
                }
            }
            guard passes.isAnyLeft else { break }
            getsOn()
            passes.leaveOut { (one, region) throws(RPCError) in
                try one.check(before: "inference of region \(region)", now: now())
            }
        }
        return passes.results
    }
}

/// How far the requests of a batch have come with one model. A value.
private struct Passes<Output: Sendable> {
    /// Some inputs of one request.
    struct Part {
        /// Of the request in the batch.
        var index: Int
        var inputs: ArraySlice<ModelInput>
    }

    private let batch: [ModelRunner.Prepared]
    /// For messages.
    private let model: String
    private var outputs: [[Output]]
    private var errors: [RPCError?]
    private var times = StageTimes()

    init(_ batch: [ModelRunner.Prepared], model: String) {
        self.batch = batch
        self.model = model
        outputs = batch.map { _ in [] }
        errors = batch.map { _ in nil }
    }

    private func isLeft(_ index: Int) -> Bool {
        errors[index] == nil && outputs[index].count < batch[index].inputs.count
    }

    var isAnyLeft: Bool { batch.indices.contains(where: isLeft) }

    /// Inputs of one call; nil: all are done.
    func next(_ most: Int) -> [Part]? {
        var parts: [Part] = []
        var room = most
        for index in batch.indices where isLeft(index) && room > 0 {
            let inputs = batch[index].inputs[outputs[index].count...].prefix(room)
            parts.append(Part(index: index, inputs: inputs))
            room -= inputs.count
        }
        return parts.isEmpty ? nil : parts
    }

    /// - Returns: false: the call failed; a request that was alone in it has its error.
    mutating func run(_ parts: [Part], _ pass: ModelRunner.Pass<Output>) -> Bool {
        let works = parts.flatMap { part in part.inputs.map { _ in batch[part.index].job.work } }
        do throws(RPCError) {
            var (found, stages) = try call(parts.flatMap(\.inputs), works, pass)
            times.add(stages)
            for part in parts {
                outputs[part.index] += found.prefix(part.inputs.count)
                found.removeFirst(part.inputs.count)
            }
            return true
        } catch {
            if parts.count == 1 { errors[parts[0].index] = error }
            return false
        }
    }

    private func call(
        _ inputs: [ModelInput], _ works: [VisionWork], _ pass: ModelRunner.Pass<Output>
    ) throws(RPCError) -> ([Output], StageTimes) {
        do throws(VisionError) {
            let (found, stages) = try pass(inputs, works)
            if found.count == inputs.count { return (found, stages) }
            throw VisionError(
                .internalFailure, "model \(model) gave \(found.count) outputs for \(inputs.count) inputs")
        } catch {
            throw RPCError(error)
        }
    }

    /// Looks at each request that is not done yet.
    mutating func leaveOut(
        unless check: (ModelRunner.Prepared, _ region: Int) throws(RPCError) -> Void
    ) {
        for index in batch.indices where isLeft(index) {
            do throws(RPCError) {
                try check(batch[index], outputs[index].count)
            } catch {
                errors[index] = error
            }
        }
    }

    /// Times are those of the whole batch: each of its requests waits for all of it.
    var results: [Result<StageAnswer<[Output]>, RPCError>] {
        zip(outputs, errors).map { outputs, error -> Result<StageAnswer<[Output]>, RPCError> in
            if let error { return .failure(error) }
            return .success(StageAnswer(output: outputs, times: times))
        }
    }
}
