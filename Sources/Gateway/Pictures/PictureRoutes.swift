import Client
import HTTPTypes
import Hummingbird
import Messages
import NIOCore
import Results
import Vision

/// `POST /v1/images:analyze`: pictures in, what is on them out.
struct PictureRoutes {
    private let services: GatewayServices
    /// Each for one picture that has come whole: what is still on its way holds none.
    private let running: Places
    private let reasons: PlainReasons

    private var limits: PictureLimits { services.limits.pictures }

    init(services: GatewayServices) {
        self.services = services
        reasons = PlainReasons(services.logger)
        running = Places(
            services.limits.pictures.maxRunning, "max-running-pictures", of: "pictures at work",
            share: services.limits.rate.share, meter: services.metrics.picturesInFlight)
    }

    func add(to group: RouterGroup<GatewayContext>) {
        group.post("images:analyze") { request, context in try await analyze(request, context) }
    }

    private func analyze(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let begin = ContinuousClock.now
        let form = try PictureForm(request.headers[.contentType])
        let options = try AnalyzeOptions(request, limits)
        // All that can be refused without the body is, before it is read.
        let client = try await services.coordinators.client(within: options.deadline)
        let pipeline = try await services.coordinators.pipeline(
            withNodes: options.pipeline, within: options.deadline.map { $0 - begin.duration(to: .now) })
        guard !pipeline.needsStream else {
            throw Problem(
                .badRequest, "the pipeline '\(pipeline.name)' needs a video or a stream", field: "pipeline")
        }
        let analyzer = PictureAnalyzer(
            client: client, options: options, waited: begin.duration(to: .now), limits: limits, reasons: reasons,
            running: running, caller: context.caller.key)
        let memory = try services.uploads.take(0, for: context.caller.key)
        defer { withExtendedLifetime(memory) {} }
        switch form {
        case .one, .unnamed:
            let upload = try Upload(
                of: request, in: context, limit: limits.maxPictureBytes, named: "max-picture-bytes")
            let picture = try await upload.picture(since: begin, in: memory, limits)
            // That it is empty is another fault, and said as such however it came.
            guard form != .unnamed || picture.readableBytes == 0 || PictureSignature.begins(picture.readableBytesView)
            else {
                throw PictureForm.noPicture
            }
            let answer = await analyzer.answer(picture, named: nil, receive: .now - begin)
            return try Self.response([answer], options.format, pipeline.stages)
        case .parts(let boundary):
            let upload = try Upload(
                of: request, in: context, limit: limits.maxMultipartBytes, named: "max-multipart-bytes")
            let answers = try await answers(to: upload, boundary: boundary, begin, memory, analyzer)
            return try Self.response(answers, options.format, pipeline.stages)
        }
    }

    /// Pictures are analysed while the next ones still come; the answers are in the order of the pictures.
    private func answers(
        to upload: Upload, boundary: String, _ begin: ContinuousClock.Instant, _ memory: Places.Place,
        _ analyzer: PictureAnalyzer
    ) async throws -> [PictureAnswer] {
        try await withThrowingTaskGroup(of: (Int, PictureAnswer).self) { tasks in
            var pictures = try PictureParts(boundary: boundary, limits)
            var count = 0
            for try await bytes in upload {
                try limits.checkUploadTime(since: begin)
                try memory.add(bytes.readableBytes)
                for picture in try pictures.take(bytes) {
                    let index = count
                    let receive = begin.duration(to: .now)
                    tasks.addTask {
                        (index, await analyzer.answer(picture.bytes, named: picture.name, receive: receive))
                    }
                    count += 1
                }
            }
            try pictures.finish()
            var answers: [Int: PictureAnswer] = [:]
            while let (index, answer) = try await tasks.next() { answers[index] = answer }
            return (0..<count).compactMap { answers[$0] }
        }
    }

    /// - Throws: the problem of a picture that came alone.
    private static func response(
        _ answers: [PictureAnswer], _ format: AnswerFormat, _ stages: [String]
    ) throws -> Response {
        if answers.count == 1, case .failed(let problem) = answers[0].outcome { throw problem }
        guard format == .json else {
            guard answers.count == 1, let drawn = answers[0].drawn else {
                throw Problem(
                    .badRequest, "\(answers.count) pictures cannot be one picture; ask for JSON", field: "format")
            }
            return Response(
                status: .ok, headers: [.contentType: format.mediaType, .cacheControl: "no-store", .vary: "Accept"],
                body: .init(byteBuffer: drawn))
        }
        var answer = JSONAnswer { json in
            json.array("results", answers) { $1.write(to: &$0, stages: stages) }
        }
        answer.headers[.vary] = "Accept"
        return answer.response
    }
}
