import Mesh
import Messages
import NIOCore
import RPC
import Services
import Traces

/// A request with the time it came, the rules of its stream applied.
struct AcceptedFrame: Sendable {
    var request: AnalyzeRequest
    var pipeline: Pipeline
    var arrival: NIODeadline
    /// For the answer; nodes get a little less.
    var deadline: Deadline
    /// A full mesh is asked again until the deadline, as `lossless` promises.
    var waitsForRoom: Bool
    /// Whose share of nodes it takes.
    var client: CallOrigin
    /// The trace that it is of; nil: nobody wants one.
    var work: TracedWork?
    /// What the request came in, the same bytes: its reservation of memory lasts until the frame is answered.
    var received: Payload?
}

/// Sends one frame through the stages of its pipeline and merges what they say.
///
/// Holds the frame's bytes as they came: each stage's call refers to the same buffer.
struct FrameRunner: Sendable {
    let detectors: (any StageCaller)?
    let classifiers: (any StageCaller)?
    let configuration: CoordinatorConfiguration
    var metrics = CoordinatorMetrics.none
    /// nil: of frames nothing is said.
    var log: FrameLog?

    /// A tracker also looks at weak detections (ByteTrack's second association).
    static let trackingFloor: Float = 0.1

    /// Never throws: what went wrong is in the answer.
    func run(_ frame: AcceptedFrame) async -> AnalyzeResponse {
        guard let work = frame.work else { return await answer(inStream: frame) }
        return await work.run { await answer(inStream: frame) }
    }

    private func answer(inStream frame: AcceptedFrame) async -> AnalyzeResponse {
        let merge = await merge(frame)
        if let error = merge.worst ?? merge.missed { log?.note(error, of: frame.request.frame, merge.worst == nil) }
        return merge.finish(metrics)
    }

    /// The answer of a frame that came alone.
    /// - Throws: `RPCError`, with the pushback of the nodes.
    func answer(_ frame: AcceptedFrame) async throws(RPCError) -> AnalyzeResponse {
        let merge = await merge(frame)
        let worst = merge.worst
        let response = merge.finish(metrics)
        guard response.status == .error else {
            metrics.answered(response, pipeline: frame.pipeline.name, after: NIODeadline.now() - frame.arrival)
            return response
        }
        metrics.refused(StatusCode(rawValue: response.code))
        var error = RPCError(StatusCode(rawValue: response.code), response.cause)
        if let node = worst?.endpoint { error.subject["node"] = node }
        throw worst?.pushback.map { error.pushingBack($0) } ?? error
    }

    private func merge(_ frame: AcceptedFrame) async -> Merge {
        let start = NIODeadline.now()
        var merge = Merge(frame, started: start)
        let pipeline = frame.pipeline
        if pipeline.detects, case (.frame, let topK)? = pipeline.classify {
            let (boxes, classes) = await both(frame, topK: topK)
            if let boxes { merge.add(boxes) }
            if let classes { merge.add(classes) }
        } else {
            if pipeline.detects { merge.add(await detect(frame)) }
            if let (input, topK) = pipeline.classify, !merge.hasFailed {
                switch input {
                case .frame:
                    merge.add(await classify(frame, regions: [], topK: topK))
                case .boxes(let limit):
                    // What is there for the tracker alone is not looked at again.
                    let floor = pipeline.tracks ? StreamTracking.reported(frame.request.minConfidence) : 0
                    let chosen = merge.strongest(limit, from: floor)
                    if !chosen.isEmpty {
                        let regions = chosen.map { merge.response.detections[$0].box }
                        merge.add(await classify(frame, regions: regions, topK: topK), toBoxes: chosen)
                    }
                }
            }
        }
        return merge
    }

    private enum Part: Sendable {
        case boxes(StageResult<DetectResponse>)
        case classes(StageResult<ClassifyResponse>)

        var failure: (stage: String, error: RPCError)? {
            switch self {
            case .boxes(let result): result.error.map { (result.stage, $0) }
            case .classes(let result): result.error.map { (result.stage, $0) }
            }
        }
    }

    /// Two stages at the same time. When one of them fails in a way that fails the frame, the other is cancelled.
    /// - Returns: nil: it was cancelled.
    private func both(
        _ frame: AcceptedFrame, topK: Int
    ) async -> (StageResult<DetectResponse>?, StageResult<ClassifyResponse>?) {
        await withTaskGroup(of: Part.self) { tasks in
            tasks.addTask { .boxes(await detect(frame)) }
            tasks.addTask { .classes(await classify(frame, regions: [], topK: topK)) }
            var parts: (StageResult<DetectResponse>?, StageResult<ClassifyResponse>?)
            for await part in tasks {
                switch part {
                case .boxes(let result): parts.0 = result
                case .classes(let result): parts.1 = result
                }
                if let (stage, error) = part.failure, frame.pipeline.fails(without: stage, error) {
                    tasks.cancelAll()
                    break
                }
            }
            return parts
        }
    }

    private func detect(_ frame: AcceptedFrame) async -> StageResult<DetectResponse> {
        var confidence = frame.request.minConfidence
        if frame.pipeline.tracks, confidence == 0 { confidence = Self.trackingFloor }
        return await call(
            .detect, detectors, MethodPath.detect,
            DetectRequest(frame: frame.request.frame, model: configuration.detectModel, minConfidence: confidence),
            frame)
    }

    private func classify(
        _ frame: AcceptedFrame, regions: [Box], topK: Int
    ) async -> StageResult<ClassifyResponse> {
        let wanted = frame.request.topK == 0 ? topK : frame.request.topK
        return await call(
            .classify(.frame, topK: topK), classifiers, MethodPath.classify,
            ClassifyRequest(
                frame: frame.request.frame, model: configuration.classifyModel, regions: regions, topK: wanted),
            frame)
    }

    /// One stage of one frame on some node, and how long it took.
    private func call<Response: StageResponse>(
        _ stage: Pipeline.Stage, _ caller: (any StageCaller)?, _ path: String, _ request: some WireCodable,
        _ frame: AcceptedFrame
    ) async -> StageResult<Response> {
        let start = NIODeadline.now()
        var result: StageResult<Response> = await answer(stage, caller, path, request, frame)
        result.elapsed = NIODeadline.now() - start
        return result
    }

    private func answer<Response: StageResponse>(
        _ stage: Pipeline.Stage, _ caller: (any StageCaller)?, _ path: String, _ request: some WireCodable,
        _ frame: AcceptedFrame
    ) async -> StageResult<Response> {
        var result = StageResult<Response>(stage: stage.name)
        guard let caller else {
            result.error = RPCError(
                .failedPrecondition, "this coordinator has no nodes for the stage \(stage.name)")
            return result
        }
        let payload = Payload(request)
        if let error = configuration.objection(to: payload, of: frame.request.frame) {
            result.error = error
            return result
        }
        let time = Duration.nanoseconds((frame.deadline.instant - frame.arrival).nanoseconds)
        let deadline = Deadline(instant: frame.deadline.instant - TimeAmount(configuration.hopMargin.margin(of: time)))
        let grace = canDoWithout(stage, of: frame) ? configuration.optionalStageGrace : nil
        var options = CallOptions(metadata: ClientKey.metadata(for: frame.client), deadline: deadline)
        options.client = frame.client
        var calls = 0
        while true {
            do {
                if deadline.hasPassed { throw RPCError(.deadlineExceeded, "deadline passed before \(stage.name)") }
                if calls > 0 { result.retries += 1 }
                calls += 1
                let answer = try await caller.call(path, payload, options: options, outageGrace: grace)
                result.retries += answer.retries
                let response = try Response.decode(answer.response.payload)
                guard response.sequence == frame.request.frame.sequence else {
                    throw RPCError(
                        .internal,
                        "\(answer.endpoint) answered frame \(response.sequence) when asked for "
                            + "\(frame.request.frame.sequence)")
                }
                result.response = response
                return result
            } catch let error as RPCError {
                result.retries += error.retries
                options.isSuspect = error.isSuspect
                if error.code == .resourceExhausted, let wait = wait(frame, caller, error.pushback, until: deadline),
                    (try? await Task.sleep(for: wait)) != nil
                {
                    continue
                }
                result.error = error
            } catch {
                result.error = RPCError(.internal, "\(stage.name) failed", cause: error)
            }
            return result
        }
    }

    /// Every node is full, which passes. A lossless stream waits for it, and holds its sender back meanwhile; so does a
    /// frame that is late because there was no node, since all of those come at once.
    /// - Returns: for how long; nil: the frame fails.
    private func wait(
        _ frame: AcceptedFrame, _ caller: any StageCaller, _ pushback: Duration?, until deadline: Deadline
    ) -> Duration? {
        guard frame.waitsForRoom || caller.lastRecovery.map({ $0 > frame.arrival }) ?? false else { return nil }
        var random = SystemRandomNumberGenerator()
        return configuration.roomWait.wait(pushback, remaining: deadline.remaining, using: &random)
    }

    /// The frame has an answer without this stage: because it does not need it, or, if it needs none, while another one
    /// has nodes.
    private func canDoWithout(_ stage: Pipeline.Stage, of frame: AcceptedFrame) -> Bool {
        let pipeline = frame.pipeline
        guard !pipeline.required.contains(stage.name) else { return false }
        if !pipeline.required.isEmpty { return true }
        let others = [
            stage != .detect && pipeline.detects ? detectors : nil,
            stage == .detect && pipeline.classify != nil ? classifiers : nil,
        ]
        return others.contains { $0?.lastRecovery != nil }
    }
}
