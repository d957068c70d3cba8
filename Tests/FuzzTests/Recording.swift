import NIOCore

@testable import HTTP2
@testable import RPC

/// The bytes of a good exchange between a client's connection and a server's, both in memory.
struct Recording {
    /// What the client sent, and what the server did.
    var fromClient = ByteBuffer()
    var fromServer = ByteBuffer()

    static func make() throws -> Recording {
        let client = try InMemoryClient()
        let server = try InMemoryServer()
        var recording = Recording()
        var toClient = server.output()
        recording.fromServer.writeImmutableBuffer(toClient)
        client.take(toClient)
        let attempts = InMemoryClient.paths.compactMap { client.call($0) }
        var toServer = client.output()
        while toServer.readableBytes > 0 {
            recording.fromClient.writeImmutableBuffer(toServer)
            toClient = server.take(toServer) ?? ByteBuffer()
            recording.fromServer.writeImmutableBuffer(toClient)
            client.take(toClient)
            toServer = client.output()
        }
        let open = attempts.filter { !$0.call.hasEnded }.map(\.call.path)
        if !open.isEmpty { fatalError("calls of \(open) have no end; \(recording)") }
        client.end()
        server.end()
        return recording
    }
}
