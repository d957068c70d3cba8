import Messages
import NIOCore
import RPC
import Services

/// `framemesh.v1.Fused` on worker threads: one picture, decoded once, through two models.
struct FusedNode: FusedHandler {
    let desk: FrameDesk
    let maxRegions: Int

    func run(_ request: FusedRequest, context: CallContext) async throws -> FusedResponse {
        let lane = try desk.lanes.index(
            detector: request.detectModel, classifier: request.classifyModel, ofBoxes: request.boxes > 0)
        let served = try await desk.run(try work(request, lane, context.deadline), lane: lane, context)
        var response = FusedResponse()
        response.sequence = request.frame.sequence
        response.width = served.answer.width
        response.height = served.answer.height
        fill(&response, with: served.answer, ofBoxes: request.boxes > 0)
        response.timing = served.timing(isFused: true)
        context.span?.tell(request.frame, response.timing)
        return response
    }

    /// For an answer that has boxes and no classes to come in time.
    private static let homeward = HopMargin()

    /// - Throws: INVALID_ARGUMENT.
    private func work(_ request: FusedRequest, _ lane: Int, _ deadline: Deadline?) throws(RPCError) -> VisionWork {
        guard request.boxes <= maxRegions else {
            throw RPCError(.invalidArgument, "\(request.boxes) boxes exceed the limit of \(maxRegions)")
        }
        try desk.lanes.checkClasses(topK: request.topK, boxes: request.boxes, lane: lane)
        guard (0...1).contains(request.boxConfidence) else {
            throw RPCError(.invalidArgument, "box_confidence \(request.boxConfidence) is not in 0…1")
        }
        return VisionWork(
            frame: request.frame, detect: try .init(threshold: request.minConfidence),
            classify: .init(
                subject: request.boxes == 0 ? .frame : .found(limit: request.boxes, floor: request.boxConfidence),
                topK: request.topK,
                answerBy: deadline.map { $0.instant - TimeAmount(Self.homeward.margin(of: $0.remaining)) }))
    }

    private func fill(_ response: inout FusedResponse, with answer: VisionAnswer, ofBoxes: Bool) {
        switch answer.detect {
        case .success(let detected)?: response.detections = detected.output
        case .failure(let error)?: response.failures.append(StageFailure("detect", error))
        case nil: break
        }
        switch answer.classify {
        case .success(let classified)? where ofBoxes:
            for (box, classes) in zip(answer.boxes, classified.output) { response.detections[box].classes = classes }
        case .success(let classified)?: response.classes = classified.output.first ?? []
        case .failure(let error)?: response.failures.append(StageFailure("classify", error))
        case nil: break
        }
    }
}

extension StageFailure {
    fileprivate init(_ stage: String, _ error: RPCError) {
        self.init(stage: stage, code: error.code.rawValue, message: error.message)
    }
}
