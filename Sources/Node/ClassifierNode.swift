import Messages
import RPC
import Services

/// `framemesh.v1.Classifier` on worker threads.
struct ClassifierNode: ClassifierHandler {
    let desk: FrameDesk
    let maxRegions: Int

    func classify(_ request: ClassifyRequest, context: CallContext) async throws -> ClassifyResponse {
        let lane = try desk.lanes.index(detector: nil, classifier: request.model, ofBoxes: !request.regions.isEmpty)
        guard request.regions.count <= maxRegions else {
            throw RPCError(
                .invalidArgument, "\(request.regions.count) regions exceed the limit of \(maxRegions)")
        }
        try desk.lanes.checkClasses(topK: request.topK, boxes: request.regions.count, lane: lane)
        try request.regions.check()
        let work = VisionWork(
            frame: request.frame, detect: nil,
            classify: .init(
                subject: request.regions.isEmpty ? .frame : .regions(request.regions), topK: request.topK))
        let served = try await desk.run(work, lane: lane, context)
        var response = ClassifyResponse()
        response.sequence = request.frame.sequence
        response.width = served.answer.width
        response.height = served.answer.height
        response.regions = try served.answer.classify?.get().output ?? []
        response.timing = served.timing()
        context.span?.tell(request.frame, response.timing)
        return response
    }
}
