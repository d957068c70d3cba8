import Messages
import NIOCore
import RPC
import Services

extension FrameRunner {
    /// Both stages of a frame in one call.
    /// - Returns: false: they have to go apart, as `frame` is now.
    func fuse(
        _ frame: inout AcceptedFrame, _ input: Pipeline.Input, topK: Int, _ nodes: any StageCaller, _ merge: inout Merge
    ) async -> Bool {
        // Where others would take it, it waits for nobody; where they have one stage, not for long.
        let isUrgent = places.areReadyApart
        let grace = isUrgent ? .zero : places.isOneReadyApart ? configuration.optionalStageGrace : nil
        let result: StageResult<FusedResponse> = await call(
            "node", nodes, MethodPath.fused, request(frame, input, topK), frame, grace: grace,
            waits: !isUrgent)
        guard let error = result.error else {
            // What fails there may go well elsewhere, and the node is known for it then: as a stage of its own, once.
            switch merge.add(result) {
            case "detect": merge.add(await detect(frame))
            case "classify": await classify(frame, input, topK: topK, &merge)
            default: break
            }
            return true
        }
        switch places.verdict(on: error) {
        case .stands:
            _ = merge.add(result)
            return true
        case .apartFromNowOn: places.refusals.note(error, at: .now())
        case .apart: break
        }
        merge.add(refused: result)
        frame.isSuspect = error.isSuspect
        return false
    }

    private func request(_ frame: AcceptedFrame, _ input: Pipeline.Input, _ topK: Int) -> FusedRequest {
        var request = FusedRequest(
            frame: frame.request.frame, detectModel: configuration.detectModel, minConfidence: detectFloor(frame),
            classifyModel: configuration.classifyModel, topK: frame.request.topK == 0 ? topK : frame.request.topK)
        if case .boxes(let limit) = input {
            request.boxes = limit
            request.boxConfidence = classifyFloor(frame)
        }
        return request
    }
}
