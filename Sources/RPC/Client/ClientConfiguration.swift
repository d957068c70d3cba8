public import HTTP2

public struct ClientConfiguration: Sendable {
    public var maxMessageBytes = 4 << 20
    public var maxAttachmentBytes = 64 << 20
    /// Of an answer of the peer's health service, which is a number, or a list of names with one each; protobuf-c takes many
    /// times the memory of the bytes that it reads.
    public var maxHealthAnswerBytes = 64 << 10
    /// Messages without bytes on one stream, one after the other.
    public var maxEmptyMessages = 65_536
    /// Of the messages of one stream that wait for their reader, each with 256 bytes more for its keeping; those in the
    /// memory budget count only these, and what all streams have beyond 4 KiB each is counted there. Beyond it, or
    /// where too much waits, the peer is held back.
    public var maxQueuedBytes = 64 << 10
    /// Of the memory budget, what the answers of one connection may hold; over it they wait for one another.
    public var memoryShare = 0.5
    /// How long an answer may wait for memory, then its call fails with RESOURCE_EXHAUSTED. nil: until its deadline.
    public var memoryPatience: Duration? = .seconds(120)
    /// Requests of one stream that wait to be sent; their writer is held back.
    public var maxQueuedOutputBytes = 256 << 10
    public var maxMetadataBytes = 16 << 10
    public var maxMetadataFields = 128
    /// Encodings of answers that are taken beside identity; told to servers.
    public var acceptedCompression: [Compression] = [.gzip, .deflate]
    public var initialStreamWindowBytes = 256 << 10
    /// What the peer may have on its way on all streams together. A small call waits behind as much as that of large
    /// messages on its connection, and bytes that are few enough stay in the caches of the processor: 1 MiB carries a
    /// quarter more than 4 MiB. But a line carries no more than that in the time of its round trip, so long and fast
    /// ones want more.
    public var connectionWindowBytes = 1 << 20
    public var maxFrameBytes = 1 << 20
    /// Handed to the socket in one go, and the most that waits there before streams are held back.
    public var maxOutputBytes = 1 << 20
    /// Until the connection stands and the peer has sent its SETTINGS.
    public var connectTimeout: Duration = .seconds(2)
    /// Calls beyond the peer's stream limit that may wait for a stream; over it RESOURCE_EXHAUSTED.
    public var maxPendingCalls = 1024
    /// Use the attachment framing with peers that announce it.
    public var offersAttachments = true
    /// TCP's congestion control for what this client sends, as `ServerConfiguration.congestionControl`.
    public var congestionControl: String?
    /// A loop that has heard from its servers in quick succession looks for more for so long before it sleeps, as
    /// `ServerConfiguration.busyPoll`.
    public var busyPoll: Duration? = .microseconds(200)
    public var keepalive = ClientKeepalive()
    /// Output waits for the socket, and it takes none of it: the connection ends. nil: it waits.
    public var outputTimeout: Duration? = .seconds(30)
    /// Of an answer that has begun; of a unary call also its status, after an answer that came whole. A slower one ends
    /// its call with UNAVAILABLE.
    public var answers = ArrivalLimits()
    /// Who calls, told to servers (gRPC over HTTP/2, "User Agents"); printable ASCII. Applications put their own name before it.
    public var userAgent = Self.runtimeName
    /// nil: plain text, with prior knowledge (RFC 9113, section 3.3).
    public var tls: ClientTLS?
    /// Frames of one connection that cost us more than the server.
    public var flood = FloodLimits()
    public init() {}

    /// What gRPC asks of a library: `grpc-`, the language, what it is made of, and the version.
    public static let runtimeName = "grpc-swift-nghttp2/0.1"
}
