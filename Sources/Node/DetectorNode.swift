import Messages
import RPC
import Services

/// `framemesh.v1.Detector` on worker threads.
struct DetectorNode: DetectorHandler {
    let desk: FrameDesk

    func detect(_ request: DetectRequest, context: CallContext) async throws -> DetectResponse {
        let lane = try desk.lanes.index(detector: request.model, classifier: nil)
        let work = VisionWork(
            frame: request.frame, detect: try .init(threshold: request.minConfidence), classify: nil)
        let served = try await desk.run(work, lane: lane, context)
        var response = DetectResponse()
        response.sequence = request.frame.sequence
        response.width = served.answer.width
        response.height = served.answer.height
        response.detections = try served.answer.detect?.get().output ?? []
        response.timing = served.timing()
        context.span?.tell(request.frame, response.timing)
        return response
    }
}

extension VisionWork.Detect {
    /// - Throws: INVALID_ARGUMENT.
    init(threshold: Float) throws(RPCError) {
        guard (0...1).contains(threshold) else {
            throw RPCError(.invalidArgument, "min_confidence \(threshold) is not in 0…1")
        }
        self.init(minConfidence: threshold)
    }
}
