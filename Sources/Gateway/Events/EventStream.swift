import HTTPTypes
package import Hummingbird
package import NIOCore

/// Answers that go on until their source ends or the viewer goes.
package enum EventStream {
    private static let keepAliveBytes = ByteBuffer(string: ServerSentEvent.keepAlive)

    /// Server-sent events.
    /// - Parameters:
    ///   - keepAlive: a comment is sent this often.
    ///   - channel: the connection of the answer. It is closed when the viewer closes its end.
    package static func response(
        _ source: some EventSource, keepAlive: Duration, on channel: any Channel
    ) -> Response {
        // Proxies are asked not to hold it back.
        let headers: HTTPFields = [
            .contentType: ServerSentEvent.contentType, .cacheControl: "no-store",
            HTTPField.Name("X-Accel-Buffering")!: "no",
        ]
        // The first comment is for the viewer to know at once that it is connected.
        return Response(
            status: .ok, headers: headers,
            body: body(source, first: keepAliveBytes, keepAlive: keepAlive, on: channel))
    }

    /// Moving pictures: parts of JPEG, each of which takes the place of the one before.
    package static func pictures(_ source: some EventSource, on channel: any Channel) -> Response {
        let headers: HTTPFields = [
            .contentType: "multipart/x-mixed-replace; boundary=\(PicturePart.boundary)", .cacheControl: "no-store",
        ]
        return Response(
            status: .ok, headers: headers,
            body: body(source, first: PicturePart.start, keepAlive: nil, on: channel))
    }

    private static func body(
        _ source: some EventSource, first: ByteBuffer, keepAlive: Duration?, on channel: any Channel
    ) -> ResponseBody {
        source.onDrop { channel.close(promise: nil) }
        return .computed { writer in
            var source = source
            let listener = Listener(on: channel, keepAlive: keepAlive) { [source] in source.wake() }
            listener.begin()
            defer { listener.end() }
            try await writer.write(first)
            while let bytes = try await source.next() {
                if listener.isGone { throw ChannelError.ioOnClosedChannel }
                if listener.takeKeepAlive() { try await writer.write(keepAliveBytes) }
                if !bytes.isEmpty { try await writer.write(contentsOf: bytes) }
            }
            try await writer.finish(nil)
        }
    }
}
