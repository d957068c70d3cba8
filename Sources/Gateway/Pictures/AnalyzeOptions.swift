import HTTPTypes
import Hummingbird
import Messages
import NIOCore
import RPC

/// What is asked of every picture of a request.
struct AnalyzeOptions: Sendable {
    static let names = ["pipeline", "min_confidence", "max_detections", "annotate", "format", "deadline_ms"]
    /// Of a request that names none.
    static let defaultPipeline = "detect"
    /// Longer than the coordinator's own default of 30 s, so that its reason comes first.
    static let defaultTimeout: Duration = .seconds(60)
    /// On top of a deadline that was asked for, so that the coordinator's reason comes first: a share of it, within bounds.
    static let marginShare = 0.1
    static let marginBounds: ClosedRange<Duration> = .milliseconds(50)...(.seconds(5))
    static let maxDetections = 100_000

    var pipeline: String
    /// 0: the model's own.
    var minConfidence: Float
    /// nil: all that were found.
    var maxDetections: Int?
    /// The picture with what was found drawn on it, beside the JSON.
    var isAnnotated: Bool
    var format: AnswerFormat
    /// From the request's header on, but for the time in which the picture comes; nil: the coordinator's default.
    var deadline: Duration?

    /// - Throws: `Problem`, 400 or 406.
    init(_ request: Request, _ limits: PictureLimits) throws {
        let query = try Query(request, knowing: Self.names)
        pipeline = query.text("pipeline") ?? Self.defaultPipeline
        minConfidence = try query.number("min_confidence", in: 0...1) ?? 0
        maxDetections = try query.number("max_detections", in: 1...Self.maxDetections)
        isAnnotated = try query.flag("annotate") ?? false
        format = try AnswerFormat.chosen(try query.choice("format"), accept: request.headers[.accept])
        let longest = UInt32(clamping: limits.maxDeadline.components.seconds * 1000)
        deadline = try query.number("deadline_ms", in: 1...max(1, longest)).map { .milliseconds(Int64($0 as UInt32)) }
    }

    /// - Parameter waited: how long the request did; its own deadline runs meanwhile.
    func request(_ picture: ByteBuffer, after waited: Duration) -> AnalyzeRequest {
        AnalyzeRequest(
            frame: Frame(payload: .attached(picture)), pipeline: pipeline, minConfidence: minConfidence,
            frameDeadline: deadline.map { UInt32(clamping: max(1, Int(($0 - waited) / .milliseconds(1)))) } ?? 0)
    }

    /// Of the call to the mesh.
    func timeout(after waited: Duration) -> Duration {
        guard let deadline else { return Self.defaultTimeout }
        let margin = min(max(deadline * Self.marginShare, Self.marginBounds.lowerBound), Self.marginBounds.upperBound)
        return max(.zero, deadline - waited) + margin
    }

    /// At most `maxDetections`, the surest, in their order.
    func limited(_ response: AnalyzeResponse) -> AnalyzeResponse {
        guard let maxDetections, response.detections.count > maxDetections else { return response }
        let surest = response.detections.indices.sorted {
            response.detections[$0].confidence > response.detections[$1].confidence
        }
        var limited = response
        limited.detections = surest.prefix(maxDetections).sorted().map { response.detections[$0] }
        return limited
    }
}
