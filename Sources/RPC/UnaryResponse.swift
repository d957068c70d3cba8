public struct UnaryResponse: Sendable {
    public var payload: Payload
    public var metadata: Metadata
    public var trailers: Metadata

    public init(payload: Payload, metadata: Metadata = [:], trailers: Metadata = [:]) {
        self.payload = payload
        self.metadata = metadata
        self.trailers = trailers
    }
}
