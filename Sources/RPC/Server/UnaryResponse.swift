/// The answer of a call with one message each way: a unary handler returns it, and a client gets it.
public struct UnaryResponse: Sendable {
    public var payload: Payload
    /// Initial metadata, sent before the message.
    public var metadata: Metadata
    /// Sent with the status. A handler that throws gives them in `RPCError.metadata`.
    public var trailers: Metadata

    /// Of a handler's answer; nil: as the server is configured. A client that does not take it gets the answer
    /// uncompressed.
    public var compression: Compression?

    public init(
        _ payload: Payload, metadata: Metadata = Metadata(), trailers: Metadata = Metadata(),
        compression: Compression? = nil
    ) {
        self.payload = payload
        self.metadata = metadata
        self.trailers = trailers
        self.compression = compression
    }
}
