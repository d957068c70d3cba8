/// How a channel to one address connects.
public struct EndpointConfiguration: Sendable {
    public var client = ClientConfiguration()
    /// Between attempts to connect. After each failed one, calls that do not wait for ready fail until it is over.
    public var backoff = Backoff()
    /// What the server is told that it was asked for, unless `client.tls.serverName` says another name; nil: the address.
    public var authority: String?
    /// Calls that may wait for the connection; over it RESOURCE_EXHAUSTED at once.
    public var maxWaitingCalls = 1024

    public init() {}
}
