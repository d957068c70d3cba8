public import RPC

/// What an endpoint says of itself.
public struct EndpointReport: Sendable, Equatable {
    /// Calls that it runs at one time.
    public var capacity: Int
    /// Calls that it has, waiting or running, whoever sent them.
    public var load: Int
    /// Calls that it takes, waiting or running, before it refuses more. nil: it does not say.
    public var limit: Int?
    /// Until it has done what it has, as far as it knows.
    public var wait: Duration
    /// Where it is; empty: it does not say.
    public var zone: String

    public init(capacity: Int = 1, load: Int = 0, limit: Int? = nil, wait: Duration = .zero, zone: String = "") {
        self.capacity = capacity
        self.load = load
        self.limit = limit
        self.wait = wait
        self.zone = zone
    }
}

/// How a channel asks its endpoints for their reports, again and again. One that does not answer in time gets no calls
/// until it does, if there are others.
public struct EndpointProbe: Sendable {
    let ask: @Sendable (RPCChannel, Deadline) async throws -> EndpointReport

    /// - Parameter ask: one call to one endpoint.
    public init(_ ask: @escaping @Sendable (RPCChannel, Deadline) async throws -> EndpointReport) { self.ask = ask }
}
