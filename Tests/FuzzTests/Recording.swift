import NIOCore

@testable import HTTP2
@testable import RPC

/// The bytes of a good exchange between a client's connection and a server's, both in memory: a greeting of one call,
/// after which the client knows that the server takes attachments, and then `InMemoryClient.requests` side by side.
struct Recording {
    /// What the client sent, from its preface on.
    var fromClient = ByteBuffer()
    /// What the server sent: its SETTINGS, before which no call has a stream, the answer of the greeting, and the others.
    var settings = ByteBuffer()
    var greeting = ByteBuffer()
    var fromServer = ByteBuffer()
    /// The first message of each answer, as the client's connection hands it on.
    var answers: [String: Payload] = [:]

    /// For what every client in memory hears first.
    static let shared: Recording = {
        do { return try Recording.make() } catch { fatalError("no recording: \(error)") }
    }()

    static func make() throws -> Recording {
        let client = try InMemoryClient()
        let server = try InMemoryServer()
        var recording = Recording()
        recording.settings = server.output()
        client.take(recording.settings)
        var attempts = [client.call(.greeting)].compactMap { $0 }
        recording.exchange(client, server, into: \.greeting)
        attempts += InMemoryClient.requests.compactMap { client.call($0) }
        recording.exchange(client, server, into: \.fromServer)
        let open = attempts.filter { !$0.call.hasEnded }.map(\.call.path)
        if !open.isEmpty { fatalError("calls of \(open) have no end; \(recording)") }
        for (request, attempt) in zip([.greeting] + InMemoryClient.requests, attempts) {
            if case .success(let payload?)? = attempt.state.inbound.poll() { recording.answers[request.name] = payload }
        }
        client.end()
        server.end()
        return recording
    }

    /// Until neither has more to say.
    private mutating func exchange(
        _ client: InMemoryClient, _ server: InMemoryServer, into place: WritableKeyPath<Recording, ByteBuffer>
    ) {
        var toServer = client.output()
        while toServer.readableBytes > 0 {
            fromClient.writeImmutableBuffer(toServer)
            let toClient = server.take(toServer) ?? ByteBuffer()
            self[keyPath: place].writeImmutableBuffer(toClient)
            client.take(toClient)
            toServer = client.output()
        }
    }
}
