import NIOCore

@testable import HTTP2

/// Two sessions that exchange bytes in memory.
final class Pair {
    let client: Session
    let server: Session
    var now: UInt64 = 0

    init(client: SessionSettings = .init(), server: SessionSettings = .init()) throws {
        self.client = try Session(role: .client, settings: client)
        self.server = try Session(role: .server, settings: server)
    }

    /// Exchanges bytes until both are silent.
    /// - Returns: what the client and the server saw; DATA as its bytes.
    @discardableResult
    func exchange() throws -> (client: [String], server: [String]) {
        var seen: (client: [String], server: [String]) = ([], [])
        var isSilent = false
        while !isSilent {
            isSilent = true
            for (from, to, isClient) in [(client, server, false), (server, client, true)] {
                var chunks: [ByteBuffer] = []
                while try from.produce({ chunks.append($0) }) {}
                let own = events(of: from)
                if isClient { seen.server += own } else { seen.client += own }
                for chunk in chunks {
                    isSilent = false
                    try to.receive(chunk, now: now)
                    let events = events(of: to)
                    if isClient { seen.client += events } else { seen.server += events }
                }
            }
        }
        return seen
    }

    /// The server takes in what the client sends, while its own output waits for ever.
    func exchangeNothingBack() throws {
        var bytes = ByteBuffer()
        while try client.produce({ bytes.writeImmutableBuffer($0) }) {}
        try server.receive(bytes, now: now)
    }

    private func events(of session: Session) -> [String] {
        var seen: [String] = []
        session.tellEvents { event in
            switch event {
            case .headers(let stream, let fields, let end):
                seen.append("headers \(stream) \(Self.text(fields))\(end ? " end" : "")")
            case .request(let stream, let fields, _, let length):
                session.creditConnection(bytes: length)
                seen.append("request \(stream) \(Self.text(fields)) \(length)")
            case .trailers(let stream, let fields): seen.append("trailers \(stream) \(Self.text(fields))")
            case .drained: seen.append("drained")
            case .oversizedHeaders(let stream, let fields, _): seen.append("oversized \(stream) \(fields)")
            case .rejected(let stream, let limit): seen.append("rejected \(stream) \(limit)")
            case .data(let stream, _, let length):
                session.creditConnection(bytes: length)
                seen.append("data \(stream) \(length)")
            case .ended(let stream): seen.append("ended \(stream)")
            case .closed(let stream, let code): seen.append("closed \(stream) \(code)")
            case .sent, .settings, .ping: break
            case .pingAcknowledged(let payload): seen.append("pong \(payload)")
            case .goAway(let last, let code, _): seen.append("goaway \(last) \(code)")
            }
        }
        return seen
    }

    private static func text(_ fields: HeaderFields) -> String {
        fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
    }

    static let head = [
        HeaderField(":method", "POST"), HeaderField(":scheme", "http"), HeaderField(":path", "/p"),
        HeaderField(":authority", "a"),
    ]
    static let seenHead = ":method=POST :scheme=http :path=/p :authority=a"
}
