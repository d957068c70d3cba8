import Messages
import NIOCore
import RPC
import Services

/// `framemesh.v1.Detector` on worker threads.
struct DetectorNode: DetectorHandler {
    let pool: WorkerPool<ModelRunner<DetectWork>>
    let models: ModelNames
    let trust: ClientTrust

    func detect(_ request: DetectRequest, context: CallContext) async throws -> DetectResponse {
        let model = try models.index(of: request.model)
        guard (0...1).contains(request.minConfidence) else {
            throw RPCError(.invalidArgument, "min_confidence \(request.minConfidence) is not in 0…1")
        }
        let served = try await pool.run(
            DetectWork(frame: request.frame, minConfidence: request.minConfidence), client: trust.client(of: context),
            model: model, inputs: 1,
            deadline: context.deadline?.instant)
        var response = DetectResponse()
        response.sequence = request.frame.sequence
        response.width = served.answer.width
        response.height = served.answer.height
        response.detections = served.answer.outputs.first ?? []
        response.timing = served.timing()
        pool.metrics?.record(served)
        context.span?.tell(request.frame, response.timing)
        return response
    }
}
