import Client
import HTTPTypes
import Messages
import NIOCore
import NIOPosix
import RPC
import Results
import Services
import Vision

/// Has one picture analysed by the mesh, and draws on it where that is asked for.
struct PictureAnalyzer: Sendable {
    let client: MeshClient
    let options: AnalyzeOptions
    /// How long the request waited for the mesh.
    let waited: Duration
    let limits: PictureLimits
    let reasons: PlainReasons
    let running: Places
    let caller: Caller.Key

    /// Never throws for what is wrong with the picture or the mesh: that is its answer.
    func answer(_ picture: ByteBuffer, named name: String?, receive: Duration) async -> PictureAnswer {
        var answer = PictureAnswer(name: name, outcome: .failed(Self.empty))
        answer.times.receive = receive
        guard picture.readableBytes > 0 else { return answer }
        do {
            let place = try running.take(for: caller)
            defer { withExtendedLifetime(place) {} }
            let begin = ContinuousClock.now
            let response = reasons.plain(
                options.limited(
                    try await client.vision.analyze(
                        options.request(picture, after: waited), deadline: .after(options.timeout(after: waited)))))
            answer.times.mesh = .now - begin
            guard response.status != .error else {
                answer.outcome = .failed(Problem(failed: response))
                return answer
            }
            answer.outcome = .answered(response)
            if options.isAnnotated || options.format != .json {
                let begin = ContinuousClock.now
                answer.drawn = try await draw(response, on: picture)
                answer.times.draw = .now - begin
            }
        } catch let error as RPCError {
            reasons.note(error.code, error.message)
            answer.outcome = .failed(Self.problem(error))
        } catch let error as VisionError where PictureSizeLimit(in: error.message)?.name == "max-pixels" {
            // The nodes took it: it is the gateway that does not draw on so large a one.
            answer.outcome = .failed(
                Problem(
                    .unprocessableContent, error.message,
                    limit: ("max-drawn-pixels", Double(limits.maxDrawnPixels)), cause: error))
        } catch {
            answer.outcome = .failed(Problem(error))
        }
        return answer
    }

    private static let empty = Problem(.badRequest, "the picture is empty (0 bytes)")

    /// All else in the call was checked before, so what is not as it should be is the picture.
    private static func problem(_ error: RPCError) -> Problem {
        error.code == .invalidArgument
            ? Problem(
                .unprocessableContent, error.message, limit: PictureSizeLimit(in: error.message)?.facts, cause: error)
            : Problem(error)
    }

    /// Off the threads that other requests need.
    private func draw(_ response: AnalyzeResponse, on picture: ByteBuffer) async throws -> ByteBuffer {
        var bounds = ImageLimits()
        bounds.maxPixels = limits.maxDrawnPixels
        return try await NIOThreadPool.singleton.runIfActive { [bounds, format = options.format] in
            let drawn = try AnnotatedPicture.draw(
                response, on: Frame(payload: .attached(picture)), limits: bounds)
            return format == .png ? try drawn.png() : try drawn.jpeg()
        }
    }
}
