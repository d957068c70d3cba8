package import RPC

/// What one HTTP connection, and all of them, may take.
package struct ConnectionLimits: Sendable {
    package var maxConnections = 4096
    /// Of an IPv4 address or a /64 of IPv6.
    package var maxConnectionsPerAddress = 1024
    /// From a connection's first byte of a request, or its beginning, to the end of the request's header.
    package var headerTimeout: Duration = .seconds(10)
    /// Between two requests.
    package var idleTimeout: Duration = .seconds(75)
    package var maxHeaderBytes = 32 << 10
    package var maxHeaderFields = 100
    /// Bytes a second of a request's body, over `uploadGrace`, while we take what comes.
    package var minUploadRate = 1 << 10
    package var uploadGrace: Duration = .seconds(10)
    /// What the framing of chunks may take beyond `chunkOverheadFactor` times the body.
    package var chunkOverheadBytes = 64 << 10
    package var chunkOverheadFactor = 16.0
    /// Output that the peer does not take for so long ends the connection.
    package var outputTimeout: Duration = .seconds(30)
    /// How long a refused upload is read on, unseen, so that its sender can read why.
    package var lingerTimeout: Duration = .seconds(2)

    package init() {}

    package static let limits: [Limit<ConnectionLimits>] = [
        Limit("max-connections", \.maxConnections, .count, "Connections; more are closed at once."),
        Limit(
            "max-connections-per-address", \.maxConnectionsPerAddress, .count,
            "Connections of one IPv4 address or /64 of IPv6."),
        Limit("header-timeout", \.headerTimeout, "From the first byte of a request to the end of its header."),
        Limit("idle-timeout", \.idleTimeout, "Between two requests of a connection."),
        Limit(
            "max-header-bytes", \.maxHeaderBytes, .bytes, in: 1024...(1 << 20), "A request's header, and each field."),
        Limit("max-header-fields", \.maxHeaderFields, .count, in: 8...10_000, "Fields of a request's header."),
        Limit(
            "min-upload-rate", \.minUploadRate, .bytesPerSecond,
            "Of a request's body over upload-grace, while the gateway takes what comes."),
        Limit("upload-grace", \.uploadGrace, "Over which min-upload-rate is measured."),
        Limit(
            "chunk-overhead-bytes", \.chunkOverheadBytes, .bytes,
            "What the framing of chunks may take, beyond chunk-overhead-factor."),
        Limit(
            "chunk-overhead-factor", \.chunkOverheadFactor, in: 1...1000,
            "What the framing of chunks may take for each byte of the body."),
        Limit("output-timeout", \.outputTimeout, "Output that the peer does not take for so long ends the connection."),
        Limit("linger-timeout", \.lingerTimeout, "How long a refused upload is read on so that its sender learns why."),
    ]
}
