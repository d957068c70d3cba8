/// Every size, count and wait has a name here.
public struct ServerConfiguration: Sendable {
    public var maxMessageBytes = 4 << 20
    /// With `attachmentIdentity`, a plain message may be as long as a message and its attachment together.
    public var maxAttachmentBytes = 64 << 20
    /// Messages without bytes on one stream, one after the other.
    public var maxEmptyMessages = 65_536
    public var maxMetadataBytes = 16 << 10
    public var maxMetadataFields = 128
    public var maxConcurrentStreams = 128
    public var maxConnections = 4096
    /// Encodings of requests that are taken beside identity; told to clients.
    public var acceptedCompression: [Compression] = [.gzip, .deflate]
    /// Of answers to clients that take it, where the handler does not choose.
    public var responseCompression = Compression.identity
    public var initialStreamWindowBytes = 256 << 10
    public var maxFrameBytes = 1 << 20
    public var handshakeTimeout: Duration = .seconds(10)
    public var drainTimeout: Duration = .seconds(30)
    /// Announced in `framemesh-framing`; nil: attachments are not offered.
    public var attachmentIdentity: String?
    public init() {}
}
