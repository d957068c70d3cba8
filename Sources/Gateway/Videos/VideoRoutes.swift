import Areas
import HTTPTypes
import Hummingbird
import Jobs
import NIOCore
import Results

/// `/v1/videos`: videos that are uploaded, analysed in the background, and followed.
///
/// A job is seen by who made it, and by callers with the scope `admin`; to all others it is not there.
struct VideoRoutes {
    let services: GatewayServices
    let videos: VideoServices

    func add(to group: some RouterMethods<GatewayContext>) {
        group.post("videos", use: upload)
        group.get("videos", use: list)
        group.get("videos/{id}") { request, context in
            let job = try await job(context)
            let webhooks = try await videos.store.webhooks(of: job.id)
            return JSONAnswer { json in
                json.fields(of: job, showingOwner: isOthers(job, context))
                json.webhooks(webhooks)
            }
        }
        group.delete("videos/{id}", use: remove)
        group.post("videos/{id}/cancel", use: cancel)
        group.get("videos/{id}/areas", use: areas)
        group.put("videos/{id}/areas", use: setAreas)
        group.get("videos/{id}/results", use: results)
        group.get("videos/{id}/annotated", use: annotated)
        group.get("videos/{id}/events", use: events)
    }

    // ---- which job, and whose ----

    private func job(_ context: GatewayContext) async throws -> Job {
        guard let id = context.parameters.get("id").flatMap({ JobID($0) }), let job = try await videos.store.job(id),
            job.owner == context.caller.owner || isAdmin(context)
        else { throw Self.missing }
        return job
    }

    private static var missing: Problem { Problem(.notFound, "there is no such video") }

    /// One that was removed meanwhile is missing like any other.
    private func found<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as JobError where error.code == .notFound { throw Self.missing }
    }

    private func isAdmin(_ context: GatewayContext) -> Bool {
        context.caller.may(.admin, hasCredentials: services.configuration.hasCredentials)
    }

    private func isOthers(_ job: Job, _ context: GatewayContext) -> Bool { job.owner != context.caller.owner }

    // ---- POST, GET, DELETE ----

    /// The last is what `curl --data-binary` says by itself.
    private static let videoTypes = ["application/octet-stream", "video/", "application/x-www-form-urlencoded"]

    private static func checkType(_ request: Request) throws {
        guard let type = request.headers[.contentType]?.lowercased(), !videoTypes.contains(where: type.hasPrefix) else {
            return
        }
        let what =
            type.hasPrefix("multipart/")
            ? "a video is the body itself, not a form (curl --data-binary @video.mp4)"
            : "the body is to be a video, as video/… or application/octet-stream"
        throw Problem(.unsupportedMediaType, what, field: "Content-Type")
    }

    @Sendable private func upload(_ request: Request, _ context: GatewayContext) async throws -> Response {
        try Self.checkType(request)
        let wish = try VideoWish(request, services.streams.rules)
        // A video of which no frame could be analysed is not worth its upload.
        _ = try await services.coordinators.pipeline(withNodes: wish.pipeline)
        let upload = try Upload(
            of: request, in: context, limit: videos.limits.maxVideoBytes, named: "max-video-bytes")
        let job = try await VideoIntake(videos: videos).take(upload, wish, from: context.caller)
        return JSONAnswer(.created, headers: [.location: "/v1/videos/\(job.id)"]) { $0.fields(of: job) }.response
    }

    private static let pageSizes = 1...500
    private static let pageSize = 50

    @Sendable private func list(_ request: Request, _ context: GatewayContext) async throws -> JSONAnswer {
        let query = try Query(request, knowing: ["limit", "after", "all"])
        let limit = try query.number("limit", in: Self.pageSizes) ?? Self.pageSize
        let after = try query.text("after").map { text in
            guard let id = JobID(text) else {
                throw Problem(.badRequest, "'\(text.prefix(64))' is not the id of a video", field: "after")
            }
            return id
        }
        let all = try query.flag("all") ?? false
        if all, !isAdmin(context) {
            throw Problem(.forbidden, "scope 'admin' is needed to see all videos", field: "all")
        }
        let jobs = try await videos.store.jobs(of: all ? nil : context.caller.owner, limit: limit, after: after)
        return JSONAnswer { json in
            json.array("videos", jobs) { $0.add($1, showingOwner: all) }
            if jobs.count == limit, let last = jobs.last { json.field("next", last.id.text) }
        }
    }

    /// The results so far stay.
    @Sendable private func cancel(_ request: Request, _ context: GatewayContext) async throws -> JSONAnswer {
        let job = try await job(context)
        let cancelled = try await found { try await videos.store.cancel(job.id, now: .now) }
        return JSONAnswer { $0.fields(of: cancelled, showingOwner: isOthers(job, context)) }
    }

    /// Whoever works on the job finds out with its next result.
    @Sendable private func remove(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let job = try await job(context)
        guard try await videos.store.delete(job.id) else { throw Self.missing }
        await videos.folder.remove(job.id)
        // Most jobs are gone with this; the sweep sees to the rest of long ones, and to what fails here.
        _ = try? await videos.store.removePiece(of: job.id, rows: videos.limits.removalRows)
        return Response(status: .noContent)
    }

    // ---- areas ----

    @Sendable private func areas(_ request: Request, _ context: GatewayContext) async throws -> Response {
        Self.json(try await job(context).request.areas)
    }

    @Sendable private func setAreas(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let job = try await job(context)
        let areas = try await JSONDocument(of: request, in: context, services.limits)
            .areas(services.limits.areas, on: (width: Int(job.video.width), height: Int(job.video.height)))
        let text = VideoWish.stored(areas)
        return Self.json(try await found { try await videos.store.setAreas(text, of: job.id).request.areas })
    }

    private static func json(_ areas: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: areas.isEmpty ? VideoWish.noAreas : areas)))
    }

    // ---- what was found ----

    /// Text of so many bytes is written in one go, and one result more.
    private static let textBytes = 64 << 10

    /// What is there so far.
    @Sendable private func results(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let query = try Query(request, knowing: ["format"])
        let job = try await job(context)
        let format = try ResultsFormat.chosen(query.choice("format"), accept: request.headers[.accept])
        let place = try videos.readers.take(for: context.caller.key)
        return Response(
            status: .ok,
            headers: [.contentType: "\(format.mediaType); charset=utf-8", .cacheControl: "no-store"],
            body: .computed { [videos] writer in
                defer { withExtendedLifetime(place) {} }
                var results = ResultsWriter(format)
                var next: Int64 = 0
                var text = results.start
                var isLast = false
                while !isLast {
                    let page = try await videos.page(of: job.id, from: next)
                    for response in page.results {
                        text += results.text(of: response)
                        guard text.utf8.count >= Self.textBytes else { continue }
                        try await writer.write(ByteBuffer(string: text))
                        text = ""
                    }
                    next += Int64(page.results.count)
                    isLast = page.isLast
                }
                // The job was removed meanwhile: what came is not all of it, and is not to look so.
                guard next >= job.progress.framesDone else { throw ChannelError.ioOnClosedChannel }
                if !text.isEmpty { try await writer.write(ByteBuffer(string: text)) }
                try await writer.finish(nil)
            })
    }

    private static let fileChunk = 256 << 10

    /// Why a job that is over has no annotated video.
    private static func absence(of job: Job) -> String {
        switch job.state {
        case .cancelled: "there is no annotated video, as the job was cancelled"
        case .failed: "there is no annotated video, as the job has failed"
        default: "there is no annotated video"
        }
    }

    @Sendable private func annotated(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let job = try await job(context)
        guard job.request.annotate else {
            throw Problem(.notFound, "no annotated video was asked for: upload with annotate=true")
        }
        guard job.state.isFinal else {
            throw Problem(.conflict, "the annotated video is not there before the job is done")
                .retry(after: .seconds(1))
        }
        let size = Int(await videos.folder.size(.annotated, of: job.id))
        guard job.state == .done, size > 0 else { throw Problem(.notFound, Self.absence(of: job)) }
        var headers: HTTPFields = [
            .contentType: "video/mp4", .acceptRanges: "bytes", .cacheControl: "private, no-cache",
            .eTag: "\"\(job.id)\"",
        ]
        if request.headers[.ifNoneMatch] == headers[.eTag] { return Response(status: .notModified, headers: headers) }
        // A range of another version of the file would be no part of this one.
        let wanted = request.headers[.ifRange].map { $0 == headers[.eTag] } ?? true ? request.headers[.range] : nil
        let path = videos.folder.file(.annotated, of: job.id)
        switch ByteRange(wanted, size: size) {
        case .unsatisfiable:
            var problem = Problem(.rangeNotSatisfiable, "the video has \(size) bytes", field: "Range")
            problem.headers[.contentRange] = "bytes */\(size)"
            throw problem
        case .whole:
            let body = try await FileIO().loadFile(path: path, context: context, chunkLength: Self.fileChunk)
            return Response(status: .ok, headers: headers, body: body)
        case .part(let range):
            headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound)/\(size)"
            let body = try await FileIO().loadFile(
                path: path, range: range, context: context, chunkLength: Self.fileChunk)
            return Response(status: .partialContent, headers: headers, body: body)
        }
    }

    // ---- following ----

    @Sendable private func events(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let job = try await job(context)
        // The id of a frame is its number.
        let first = try request.lastEventID().map { $0 + 1 } ?? 0
        return EventStream.response(
            try JobWatch(videos, job.id, from: first, for: context.caller.key), keepAlive: videos.limits.keepAlive,
            on: context.channel)
    }
}
