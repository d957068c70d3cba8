/// An answer, and what it took to get it.
public struct ChannelResponse: Sendable {
    public var response: UnaryResponse
    /// The endpoint that answered.
    public var endpoint: String
    /// Attempts beyond the first.
    public var retries: Int

    public init(response: UnaryResponse, endpoint: String, retries: Int) {
        self.response = response
        self.endpoint = endpoint
        self.retries = retries
    }
}
