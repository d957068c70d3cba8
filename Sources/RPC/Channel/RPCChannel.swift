public import Logging
public import NIOCore

/// Calls, wherever they are answered: retries and hedges them as the `ServiceConfig` says, passes them through the
/// interceptors, and asks its source for the connection of each attempt.
///
///     let channel = try RPCChannel(to: "10.0.0.7:50051", group: group, logger: logger)
///     let answer = try await channel.unary("/shop.Till/Pay", request, options: .init(deadline: .after(.seconds(2))))
///     channel.drain()
///
/// A copy is the same channel.
public struct RPCChannel: Sendable {
    let source: any ConnectionSource
    let state: ChannelState

    public init(_ source: any ConnectionSource, configuration: RPCChannelConfiguration = .init()) {
        self.init(source, sharing: ChannelState(configuration))
    }

    /// - Parameter state: kept by an owner that is its own source and so cannot hold its channel.
    public init(_ source: any ConnectionSource, sharing state: ChannelState) {
        self.source = source
        self.state = state
    }

    /// A channel to one server. It connects when the first call comes, and again when the connection is lost.
    /// - Parameters:
    ///   - address: `10.0.0.7:50051`, `[::1]:50051`, `till.shop:50051`, `unix:/run/x.sock`.
    ///   - budget: for what the server answers.
    /// - Throws: `RPCError` INVALID_ARGUMENT if `address` is none.
    public init(
        to address: String, endpoint: EndpointConfiguration = .init(), configuration: RPCChannelConfiguration = .init(),
        budget: MemoryBudget = .shared, group: any EventLoopGroup, logger: Logger
    ) throws(RPCError) {
        let address = try ServerAddress(parsing: address)
        self.init(
            SingleEndpoint(address, endpoint, budget: budget, group: group, logger: logger),
            sharing: ChannelState(configuration, name: "\(address)", logger: logger))
    }

    /// For what is wrong with answers; nil: nobody wants to know.
    package var logger: Logger? { state.logger }

    /// The answer alone.
    public func unary(
        _ path: String, _ request: Payload, options: CallOptions = CallOptions()
    ) async throws -> UnaryResponse {
        try await call(path, request, options: options).response
    }

    /// One unary call, in as many attempts as its policy allows.
    public func call(
        _ path: String, _ request: Payload, options: CallOptions = CallOptions()
    ) async throws -> ChannelResponse {
        do {
            guard state.configuration.interceptors.isEmpty else {
                return try await intercepted(OutgoingCall(path: path, options: options), request, from: 0)
            }
            return try await attempt(path, request, options)
        } catch let error as RPCError {
            throw error.withheld
        }
    }

    /// A streaming call of any kind. Returns when its first attempt has a stream.
    ///
    /// Until the response head comes, what was sent is kept, within `maxReplayBytes`, for another attempt.
    public func open(_ path: String, options: CallOptions = CallOptions()) async throws -> ClientCall {
        do {
            guard state.configuration.interceptors.isEmpty else {
                return try await intercepted(OutgoingCall(path: path, options: options), from: 0)
            }
            return try await attemptStream(path, options)
        } catch let error as RPCError {
            throw error.withheld
        }
    }

    /// No new calls, no more attempts; what runs may finish, then the connections end.
    public func drain() {
        state.drain()
        source.drain()
    }

    /// Ends the connections, with all that runs on them.
    public func close() {
        state.drain()
        source.close()
    }

    // ---- interceptors ----

    private func intercepted(
        _ call: OutgoingCall, _ request: Payload, from index: Int
    ) async throws -> ChannelResponse {
        let interceptors = state.configuration.interceptors
        guard index < interceptors.count else { return try await attempt(call.path, request, call.options) }
        return try await interceptors[index].unary(call, request) { call, request in
            try await intercepted(call, request, from: index + 1)
        }
    }

    private func intercepted(_ call: OutgoingCall, from index: Int) async throws -> ClientCall {
        let interceptors = state.configuration.interceptors
        guard index < interceptors.count else { return try await attemptStream(call.path, call.options) }
        return try await interceptors[index].open(call) { call in try await intercepted(call, from: index + 1) }
    }
}
