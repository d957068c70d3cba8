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
    var priority = FramePriority.live
    /// The trace that it is of; nil: nobody wants one.
    var work: TracedWork?
    /// A node was lost while it ran this frame, and may have died of it.
    var isSuspect = false
    /// What the request came in, the same bytes: its reservation of memory lasts until the frame is answered.
    var received: Payload?
}

/// What a call of a frame waits for.
struct CallPatience: Sendable {
    /// For a node, from when the last one was lost; nil: as long as others do.
    var grace: Duration?
    /// Others would take the frame: it does not wait for nodes that are gone.
    var hasOthers = false
    /// Where all nodes are full, as the rules of its stream have it.
    var waitsForRoom = true
}

/// Sends one frame through the stages of its pipeline and merges what they say.
///
/// Holds the frame's bytes as they came: each stage's call refers to the same buffer.
///
/// There is one, which all frames share: a copy of what it knows would touch some hundred counts of references for each frame, for
/// which the threads of the event loops get into each other's way.
final class FrameRunner: Sendable {
    let places: Places
    let configuration: CoordinatorConfiguration
    let metrics: CoordinatorMetrics
    /// nil: of frames nothing is said.
    let log: FrameLog?

    init(
        places: Places, configuration: CoordinatorConfiguration, metrics: CoordinatorMetrics = .none,
        log: FrameLog? = nil
    ) {
        self.places = places
        self.configuration = configuration
        self.metrics = metrics
        self.log = log
    }

    /// A tracker also looks at weak detections (ByteTrack's second association).
    static let trackingFloor: Float = 0.1

    /// Never throws: what went wrong is in the answer.
    func run(_ frame: AcceptedFrame) async -> AnalyzeResponse {
        guard let work = frame.work else { return await answer(inStream: frame) }
        return await work.run { await answer(inStream: frame) }
    }

    private func answer(inStream frame: AcceptedFrame) async -> AnalyzeResponse {
        let merge = await merge(frame)
        // Of a stream whose client has left nothing failed.
        if !Task.isCancelled, let error = merge.worst ?? merge.missed {
            log?.note(error, of: frame.request.frame, merge.worst == nil)
        }
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
        // Its client has left, which is no failure; one that waits until its deadline has not.
        if Task.isCancelled, !frame.deadline.hasPassed {
            metrics.abandoned(1)
        } else {
            metrics.refused(StatusCode(rawValue: response.code))
        }
        var error = RPCError(StatusCode(rawValue: response.code), response.cause)
        if let node = worst?.endpoint { error.subject["node"] = node }
        throw worst?.pushback.map { error.pushingBack($0) } ?? error
    }

    private func merge(_ frame: AcceptedFrame) async -> Merge {
        let start = NIODeadline.now()
        var merge = Merge(frame, started: start)
        let pipeline = frame.pipeline
        var frame = frame
        if pipeline.detects, let (input, topK) = pipeline.classify,
            let nodes = places.fusing(now: start), await fuse(&frame, input, topK: topK, nodes, &merge)
        {
            return merge
        }
        if pipeline.detects, case (.frame, let topK)? = pipeline.classify {
            let (boxes, classes) = await both(frame, topK: topK)
            if let boxes { merge.add(boxes) }
            if let classes { merge.add(classes) }
        } else {
            if pipeline.detects { merge.add(await detect(frame)) }
            if let (input, topK) = pipeline.classify, !merge.hasFailed {
                await classify(frame, input, topK: topK, &merge)
            }
        }
        return merge
    }

    /// The frame, or what was found on it.
    func classify(_ frame: AcceptedFrame, _ input: Pipeline.Input, topK: Int, _ merge: inout Merge) async {
        switch input {
        case .frame:
            merge.add(await classify(frame, regions: [], topK: topK))
        case .boxes(let limit):
            let chosen = merge.response.detections.strongest(limit, from: classifyFloor(frame))
            guard !chosen.isEmpty else { return }
            let regions = chosen.map { merge.response.detections[$0].box }
            merge.add(await classify(frame, regions: regions, topK: topK), toBoxes: chosen)
        }
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
            tasks.addTask { .boxes(await self.detect(frame)) }
            tasks.addTask { .classes(await self.classify(frame, regions: [], topK: topK)) }
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

    /// What a detector is asked for.
    func detectFloor(_ frame: AcceptedFrame) -> Float {
        let confidence = frame.request.minConfidence
        return frame.pipeline.tracks && confidence == 0 ? Self.trackingFloor : confidence
    }

    /// What is there for the tracker alone is not looked at again.
    func classifyFloor(_ frame: AcceptedFrame) -> Float {
        frame.pipeline.tracks ? StreamTracking.reported(frame.request.minConfidence) : 0
    }

    func detect(_ frame: AcceptedFrame) async -> StageResult<DetectResponse> {
        await call(
            .detect, MethodPath.detect,
            DetectRequest(
                frame: frame.request.frame, model: configuration.detectModel, minConfidence: detectFloor(frame)),
            frame)
    }

    private func classify(
        _ frame: AcceptedFrame, regions: [Box], topK: Int
    ) async -> StageResult<ClassifyResponse> {
        let wanted = frame.request.topK == 0 ? topK : frame.request.topK
        return await call(
            .classify(.frame, topK: topK), MethodPath.classify,
            ClassifyRequest(
                frame: frame.request.frame, model: configuration.classifyModel, regions: regions, topK: wanted),
            frame)
    }

    /// One stage of a frame as a call of its own. Where all who were to take it are gone, and others are there, it goes
    /// to these, once.
    private func call<Response: StageResponse>(
        _ stage: Pipeline.Stage, _ path: String, _ request: some WireCodable, _ frame: AcceptedFrame
    ) async -> StageResult<Response> {
        let (first, second) = places.callers(for: stage)
        var patience = CallPatience(grace: canDoWithout(stage, of: frame) ? configuration.optionalStageGrace : nil)
        patience.hasOthers = second?.isReady == true
        let result: StageResult<Response> = await call(stage.name, first, path, request, frame, patience)
        // Those that are there and have said it themselves stay those that are asked.
        guard let first, let second, let error = result.error, error.code == .unavailable,
            error.neverStarted || !first.isReady, patience.hasOthers || second.isReady, !frame.deadline.hasPassed
        else { return result }
        patience.hasOthers = false
        var frame = frame
        frame.isSuspect = error.isSuspect
        let next = second.isReady ? second : first
        var again: StageResult<Response> = await call(stage.name, next, path, request, frame, patience)
        // An attempt that found nobody is counted already, and was not made.
        again.retries += result.retries + (error.neverStarted ? 0 : 1)
        again.elapsed = again.elapsed + result.elapsed
        return again
    }

    /// One call of one frame to some node, and how long it took.
    /// - Parameter stage: for messages.
    func call<Response: StageResponse>(
        _ stage: String, _ caller: (any StageCaller)?, _ path: String, _ request: some WireCodable,
        _ frame: AcceptedFrame, _ patience: CallPatience
    ) async -> StageResult<Response> {
        let start = NIODeadline.now()
        var result: StageResult<Response> = await answer(stage, caller, path, request, frame, patience)
        result.elapsed = NIODeadline.now() - start
        return result
    }

    private func answer<Response: StageResponse>(
        _ stage: String, _ caller: (any StageCaller)?, _ path: String, _ request: some WireCodable,
        _ frame: AcceptedFrame, _ patience: CallPatience
    ) async -> StageResult<Response> {
        var result = StageResult<Response>(stage: stage)
        guard let caller else {
            result.error = RPCError(.failedPrecondition, "this coordinator has no nodes for the stage \(stage)")
            return result
        }
        let payload = Payload(request)
        if let error = configuration.objection(to: payload, of: frame.request.frame) {
            result.error = error
            return result
        }
        let time = Duration.nanoseconds((frame.deadline.instant - frame.arrival).nanoseconds)
        let deadline = Deadline(instant: frame.deadline.instant - TimeAmount(configuration.hopMargin.margin(of: time)))
        var options = CallOptions(metadata: ClientKey.metadata(for: frame.client), deadline: deadline)
        // As what says nothing, others are live.
        if frame.priority == .batch { frame.priority.tell(in: &options.metadata) }
        options.client = frame.client
        options.isSuspect = frame.isSuspect
        options.readyTimeout = patience.grace
        let grace = patience.hasOthers ? .zero : patience.grace
        var calls = 0
        while true {
            do {
                if deadline.hasPassed { throw RPCError(.deadlineExceeded, "deadline passed before \(stage)") }
                if calls > 0 { result.retries += 1 }
                calls += 1
                let answer = try await caller.call(path, payload, options: options, outageGrace: grace)
                result.retries += answer.retries
                let response: Response
                do {
                    response = try await Response.decoded(from: answer.response.payload)
                } catch {
                    throw RPCError.unreadableAnswer(
                        "\(answer.endpoint)'s answer cannot be read: \(error.message)", to: path,
                        of: answer.endpoint, log?.logger)
                }
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
                // The next answer would be as large.
                let isTooLarge = error.limit == .messageBytes || error.limit == .attachmentBytes
                if patience.waitsForRoom, error.code == .resourceExhausted, !isTooLarge,
                    let wait = wait(frame, caller, error.pushback, until: deadline),
                    (try? await Task.sleep(for: wait)) != nil
                {
                    continue
                }
                result.error = error
                if isTooLarge {
                    let node = error.endpoint ?? "a node"
                    result.error = RPCError(.internal, "\(node)'s answer cannot be read: \(error.message)")
                }
            } catch {
                result.error = RPCError(.internal, "\(stage) failed", cause: error)
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
        if stage == .detect {
            guard let (input, topK) = pipeline.classify else { return false }
            return places.isReady(.classify(input, topK: topK))
        }
        return pipeline.detects && places.isReady(.detect)
    }
}
