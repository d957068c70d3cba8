import HTTPTypes
package import Hummingbird
import NIOCore

/// Answers that go on until the source ends or the viewer goes.
package enum EventStream {
    private static let keepAliveBytes = ByteBuffer(string: ServerSentEvent.keepAlive)

    /// Server-sent events.
    /// - Parameters:
    ///   - before: written first, what the viewer missed; returns the last id in it, and what is published with that id
    ///     or a lower one is left out.
    ///   - drop: ends the connection.
    package static func response(
        _ viewer: Viewer, keepAlive: Duration,
        before: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> UInt64? = { _ in nil },
        drop: @escaping @Sendable () -> Void
    ) -> Response {
        // Proxies are asked not to hold it back.
        let headers: HTTPFields = [
            .contentType: ServerSentEvent.contentType, .cacheControl: "no-store",
            HTTPField.Name("X-Accel-Buffering")!: "no",
        ]
        let body = ResponseBody { writer in
            // So that the viewer knows at once that it is connected.
            try await writer.write(keepAliveBytes)
            let seen = try await before(&writer)
            try await write(viewer, after: seen, keepAlive: keepAlive, &writer)
            try await writer.finish(nil)
        }
        viewer.onDrop(drop)
        return Response(status: .ok, headers: headers, body: body)
    }

    /// Moving pictures: parts of JPEG, each of which takes the place of the one before.
    package static func pictures(_ viewer: Viewer, drop: @escaping @Sendable () -> Void) -> Response {
        let headers: HTTPFields = [
            .contentType: "multipart/x-mixed-replace; boundary=\(PicturePart.boundary)", .cacheControl: "no-store",
        ]
        let body = ResponseBody { writer in
            try await writer.write(PicturePart.start)
            try await write(viewer, after: nil, keepAlive: nil, &writer)
            try await writer.finish(nil)
        }
        viewer.onDrop(drop)
        return Response(status: .ok, headers: headers, body: body)
    }

    private static func write(
        _ viewer: Viewer, after seen: UInt64?, keepAlive: Duration?, _ writer: inout any ResponseBodyWriter
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            defer { tasks.cancelAll() }
            if let keepAlive {
                tasks.addTask {
                    while (try? await Task.sleep(for: keepAlive)) != nil {
                        viewer.offer(ViewerQueue.Piece(bytes: keepAliveBytes), now: .now)
                    }
                }
            }
            while let pieces = await viewer.next() {
                try await writer.write(
                    contentsOf: pieces.lazy.filter { piece in
                        seen.flatMap { seen in piece.id.map { $0 > seen } } ?? true
                    }.map(\.bytes))
            }
        }
    }
}

/// One part of `multipart/x-mixed-replace`.
package enum PicturePart {
    package static let boundary = "framemesh"
    /// Before the first part. Each part has the boundary behind it, so that a browser shows it at once.
    static let start = ByteBuffer(string: "--\(boundary)\r\n")

    package static func bytes(jpeg: ByteBuffer) -> ByteBuffer {
        var part = ByteBuffer()
        part.reserveCapacity(jpeg.readableBytes + 128)
        part.writeString("Content-Type: image/jpeg\r\nContent-Length: \(jpeg.readableBytes)\r\n\r\n")
        part.writeImmutableBuffer(jpeg)
        part.writeString("\r\n--\(boundary)\r\n")
        return part
    }
}
