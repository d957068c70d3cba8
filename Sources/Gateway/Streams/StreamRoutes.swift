import Areas
import Foundation
import HTTPTypes
import Hummingbird
import Messages
import NIOCore
import RPC
import Results
import Vision

/// `/v1/streams`: live sources, what is seen in them, and who is told. Somebody else's streams are not there for a
/// caller, unless it is an administrator.
struct StreamRoutes {
    let services: GatewayServices

    private var streams: LiveStreams { services.streams }

    func add(to group: RouterGroup<GatewayContext>) {
        group.get("streams") { _, context in
            let mine = streams.all { isVisible($0, to: context) }
            return JSONAnswer { json in
                json.array("streams", mine) { json, stream in json.object { stream.add(to: &$0) } }
            }
        }
        group.post("streams") { request, context in try await create(request, context) }
        group.get("streams/{id}") { _, context in
            let stream = try find(context)
            return JSONAnswer { stream.add(to: &$0) }
        }
        group.delete("streams/{id}") { _, context in try await remove(context) }
        group.get("streams/{id}/areas") { _, context in Self.json(try find(context).areas) }
        group.put("streams/{id}/areas") { request, context in try await putAreas(request, context) }
        group.post("streams/{id}/frames") { request, context in try await push(request, context) }
        group.get("streams/{id}/events") { request, context in
            let stream = try find(context)
            let last = try request.lastEventID().map { UInt64($0) }
            let viewer = try stream.events.watch(for: context.caller.key, after: last)
            return EventStream.response(viewer, keepAlive: streams.rules.events.keepAlive, on: context.channel)
        }
        group.get("streams/{id}/mjpeg") { _, context in
            let stream = try find(context)
            guard !stream.isOver else { throw Self.over }
            return EventStream.pictures(try stream.pictures.viewers.watch(for: context.caller.key), on: context.channel)
        }
    }

    // MARK: Streams

    private func isAdmin(_ context: GatewayContext) -> Bool {
        context.caller.may(.admin, hasCredentials: services.configuration.hasCredentials)
    }

    private func isVisible(_ stream: LiveStream, to context: GatewayContext) -> Bool {
        stream.owner == context.caller.owner || isAdmin(context)
    }

    private func find(_ context: GatewayContext) throws -> LiveStream {
        let id = try context.parameters.require("id")
        guard let stream = streams.stream(id), isVisible(stream, to: context) else { throw Self.missing }
        return stream
    }

    private static var missing: Problem { Problem(.notFound, "there is no such stream") }

    private func remove(_ context: GatewayContext) async throws -> Response {
        let id = try context.parameters.require("id")
        if streams.stream(id) != nil {
            try await streams.remove(try find(context))
        } else {
            let owner = isAdmin(context) ? nil : context.caller.owner
            guard try await streams.removeWaiting(id, of: owner) else { throw Self.missing }
        }
        return Response(status: .noContent)
    }

    private func create(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let document = try await JSONDocument(of: request, in: context, services.limits)
        let wanted = try document.value(StreamRequest.self)
        let pipeline = try await services.coordinators.pipeline(named: wanted.pipelineName)
        let specification = try await StreamSpecification(wanted, pipeline, streams.rules)
        // None of its frames would ever have a result. Nodes that are gone for now are waited for, as a mesh is.
        _ = try await services.coordinators.pipeline(withKnownNodes: wanted.pipelineName)
        let stream = try await streams.add(
            specification, owner: context.caller.owner, request: document.text)
        return JSONAnswer(.created, headers: [.location: "/v1/streams/\(stream.id)"]) { stream.add(to: &$0) }.response
    }

    private func putAreas(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let stream = try find(context)
        let areas = try await JSONDocument(of: request, in: context, services.limits)
            .areas(streams.rules.areas, on: stream.frameSize)
        try await streams.watch(areas, in: stream)
        return Self.json(areas)
    }

    private static func json(_ areas: AreaSet) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: areas.json)))
    }

    // MARK: Frames in

    private func push(_ request: Request, _ context: GatewayContext) async throws -> Response {
        let waits = try Query(request, knowing: ["wait"]).flag("wait") ?? false
        let stream = try find(context)
        guard stream.specification.source == .push else {
            throw Problem(.conflict, "the frames of this stream come from its source")
        }
        let form = try PictureForm.ofFrame(request.headers[.contentType])
        let limits = services.limits.pictures
        let memory = try services.uploads.take(0, for: context.caller.key)
        let body = try await Upload(
            of: request, in: context, limit: limits.maxPictureBytes, named: "max-picture-bytes"
        ).picture(since: .now, in: memory, limits)
        guard body.readableBytes > 0 else { throw Problem(.badRequest, "the body is empty") }
        guard form != .unnamed || PictureSignature.begins(body.readableBytesView) else { throw PictureForm.noPicture }
        let (sequence, counterfoil) = try await offer(
            Frame(payload: .attached(body)), to: stream, waitingOn: waits ? context.channel.eventLoop : nil, memory)
        guard let counterfoil else {
            return JSONAnswer(.accepted) { json in
                json.field("stream", stream.id)
                json.field("sequence", sequence)
            }.response
        }
        switch await counterfoil.outcome(within: streams.rules.limits.frameWait) {
        case .answered(let response, let age):
            guard response.status != .error else { throw Problem(failed: response) }
            let text = stream.frameText(response, age: age)
            return Response(
                status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        case .replaced:
            return JSONAnswer { json in
                json.field("sequence", sequence)
                json.field("status", AnswerStatus.dropped.word)
                json.field("cause", "a newer frame took its place")
            }.response
        case .lost:
            guard !stream.isOver else { throw Self.over }
            throw Problem(.serviceUnavailable, "the mesh was lost before the frame was answered")
                .retry(after: .seconds(1))
        case nil: throw Problem(.gatewayTimeout, "the frame was not answered in time")
        }
    }

    /// The ticket goes with the frame: who waits has none of it, or nobody would hear that the frame is lost.
    /// - Parameter loop: nil: nobody waits.
    private func offer(
        _ frame: Frame, to stream: LiveStream, waitingOn loop: (any EventLoop)?, _ memory: Places.Place
    ) async throws -> (sequence: UInt64, FrameTicket.Counterfoil?) {
        let ticket = loop.map { FrameTicket(on: $0) }
        let counterfoil = ticket?.counterfoil
        switch await stream.offer(frame, sourceTime: nil, ticket: ticket, memory: memory) {
        case .taken(let sequence): return (sequence, counterfoil)
        case .noPlace: throw fullHouse
        case .over: throw Self.over
        }
    }

    private static let over = Problem(.conflict, "the stream has ended")

    private var fullHouse: Problem {
        let places = streams.rules.limits.waitingFrames
        return Problem(
            .tooManyRequests, "\(places) frames of this stream wait already, which is the limit",
            limit: ("stream-waiting-frames", Double(places))
        ).retry(after: .seconds(1))
    }
}
