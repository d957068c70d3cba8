import Messages
import NIOCore
import RPC
import Services

/// `framemesh.v1.Classifier` on worker threads.
struct ClassifierNode: ClassifierHandler {
    let pool: WorkerPool<ModelRunner<ClassifyWork>>
    let models: ModelNames
    let trust: ClientTrust
    let maxRegions: Int

    func classify(_ request: ClassifyRequest, context: CallContext) async throws -> ClassifyResponse {
        let model = try models.index(of: request.model)
        try check(request.regions)
        let served = try await pool.run(
            ClassifyWork(frame: request.frame, regions: request.regions, topK: request.topK),
            client: trust.client(of: context), model: model,
            inputs: max(1, request.regions.count), deadline: context.deadline?.instant)
        var response = ClassifyResponse()
        response.sequence = request.frame.sequence
        response.width = served.answer.width
        response.height = served.answer.height
        response.regions = served.answer.outputs
        response.timing = served.timing()
        pool.metrics?.record(served)
        context.span?.tell(request.frame, response.timing)
        return response
    }

    private func check(_ regions: [Box]) throws(RPCError) {
        guard regions.count <= maxRegions else {
            throw RPCError(.invalidArgument, "\(regions.count) regions exceed the limit of \(maxRegions)")
        }
        for (index, region) in regions.enumerated() where !region.isUsable {
            throw RPCError(.invalidArgument, "region \(index) (\(region.text)) is empty or not a number")
        }
    }
}
