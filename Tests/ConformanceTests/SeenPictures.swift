import Messages
import NIOCore
import RPC
import Services

/// `framemesh.v1.Detector` and `Vision`, answering with what they saw, as python/server.py does.
struct SeenPictures: DetectorHandler, VisionHandler {
    func detect(_ request: DetectRequest, context: CallContext) async throws -> DetectResponse {
        var response = DetectResponse()
        (response.width, response.height) = Self.lengthAndSum(request.frame)
        response.sequence = request.frame.sequence
        response.detections = [
            Detection(
                classID: 7, label: "\(request.model) of \(request.frame.stream)", confidence: request.minConfidence,
                box: Box(x: 1, y: 2, width: 3, height: 4))
        ]
        response.timing = [Timing("swift", microseconds: 12)]
        return response
    }

    func analyze(_ request: AnalyzeRequest, context: CallContext) async throws -> AnalyzeResponse {
        guard request.pipeline == "detect" else {
            throw RPCError(.invalidArgument, "pipeline '\(request.pipeline)' is not known")
        }
        var response = AnalyzeResponse()
        (response.width, response.height) = Self.lengthAndSum(request.frame)
        response.stream = request.frame.stream
        response.sequence = request.frame.sequence
        response.captureTime = request.frame.captureTime
        return response
    }

    func analyzeStream(
        _ requests: MessageStream, context: CallContext,
        answer: @Sendable @escaping (AnalyzeResponse) async throws -> Void
    ) async throws {
        for try await request in requests {
            try await answer(try await analyze(try AnalyzeRequest.decode(request), context: context))
        }
    }

    func pipelines() -> [PipelineDescription] {
        [PipelineDescription(name: "detect", stages: ["detect"], needsStream: false, text: "")]
    }

    func nodes() async -> [NodeState] { [] }

    /// Length of the pixels, and the lower 24 bits of their sum.
    static func lengthAndSum(_ frame: Frame) -> (Int, Int) {
        let pixels = frame.payload.bytes.readableBytesView
        return (pixels.count, pixels.reduce(0) { $0 &+ Int($1) } & 0xff_ffff)
    }
}
