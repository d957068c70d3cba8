import Messages
import NIOCore
import RPC
import Vision

/// What a worker knows of one request when it is done.
struct VisionAnswer<Output: Sendable>: Sendable {
    /// Of the picture as displayed, pixels.
    var width: Int
    var height: Int
    /// One for each input.
    var outputs: [Output]
    /// Of the whole batch: every request of it waits for all of its decoding, and so on.
    var decode: TimeAmount
    var stages: StageTimes
}

/// One net of each model, and the way of a batch through one of them: decode, check again who still waits, forward pass.
struct ModelRunner<Work: VisionWork>: BatchRunner {
    typealias Answer = VisionAnswer<Work.Output>

    /// Inputs of one forward call. A request with more (many regions) is looked at again between calls.
    static var maxInputsPerCall: Int { 16 }

    private let models: [any VisionModel]
    private let limits: ImageLimits
    private let now: @Sendable () -> NIODeadline

    init(models: [any VisionModel], limits: ImageLimits, now: @Sendable @escaping () -> NIODeadline) {
        self.models = models
        self.limits = limits
        self.now = now
    }

    /// A request whose picture is decoded.
    private struct Prepared {
        var index: Int
        var job: Job<Work>
        var image: Image
        var inputs: [ModelInput]
    }

    func run(_ jobs: [Job<Work>], model: Int) -> [Result<Answer, RPCError>] {
        // Each slot is filled below; one that were not would say so.
        var results = [Result<Answer, RPCError>](
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
        prepared.removeAll { one in
            do throws(RPCError) {
                try one.job.check(before: "inference", now: decoded)
                return false
            } catch {
                results[one.index] = .failure(error)
                return true
            }
        }
        for (index, result) in infer(prepared, models[model], decode: decoded - start) { results[index] = result }
        return results
    }

    private func prepare(_ job: Job<Work>, _ index: Int) throws(RPCError) -> Prepared {
        try job.check(before: "decoding", now: now())
        let image: Image
        do throws(VisionError) {
            image = try Image(decoding: job.work.frame, limits: limits)
        } catch {
            throw RPCError(error)
        }
        return Prepared(index: index, job: job, image: image, inputs: try job.work.inputs(of: image))
    }

    /// If a batch fails, each of its requests runs alone, so that only the guilty one fails.
    private func infer(
        _ batch: [Prepared], _ model: any VisionModel, decode: TimeAmount
    ) -> [(Int, Result<Answer, RPCError>)] {
        guard !batch.isEmpty else { return [] }
        do throws(RPCError) {
            let (outputs, stages) = try forward(batch, model)
            var rest = outputs[...]
            return batch.map { one in
                let own = Array(rest.prefix(one.inputs.count))
                rest = rest.dropFirst(one.inputs.count)
                return (
                    one.index,
                    .success(
                        Answer(
                            width: one.image.width, height: one.image.height, outputs: own, decode: decode,
                            stages: stages))
                )
            }
        } catch {
            if batch.count == 1 { return [(batch[0].index, .failure(error))] }
            return batch.flatMap { infer([$0], model, decode: decode) }
        }
    }

    private func forward(_ batch: [Prepared], _ model: any VisionModel) throws(RPCError) -> ([Work.Output], StageTimes)
    {
        let all = batch.flatMap { one in one.inputs.map { (input: $0, work: one.job.work) } }
        var outputs: [Work.Output] = []
        var times = StageTimes()
        let step = max(Self.maxInputsPerCall, model.maxBatchSize)
        for first in stride(from: 0, to: all.count, by: step) {
            // Only a request that is alone has more inputs than one call takes.
            if first > 0, batch.count == 1 {
                try batch[0].job.check(before: "inference of region \(first)", now: now())
            }
            let part = all[first..<min(first + step, all.count)]
            do throws(VisionError) {
                let (found, stages) = try Work.run(model, part.map(\.input), for: part.map(\.work))
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

extension StageTimes {
    mutating func add(_ other: StageTimes) {
        preprocess &+= other.preprocess
        infer &+= other.infer
        postprocess &+= other.postprocess
    }
}

extension RPCError {
    /// A bad picture is its sender's fault, all else is ours.
    init(_ error: VisionError) {
        self.init(error.kind == .badPicture ? .invalidArgument : .internal, error.message, cause: error)
    }
}
