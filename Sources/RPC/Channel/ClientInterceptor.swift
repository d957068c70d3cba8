/// A call on its way out, as interceptors see it.
public struct OutgoingCall: Sendable {
    /// `/package.Service/Method`.
    public let path: String
    public var options: CallOptions
}

/// Stands around every call of a channel: may change it, answer it, refuse it, watch it.
///
///     struct Timing: ClientInterceptor {
///         func unary(_ call: OutgoingCall, _ request: Payload, next: UnaryNext) async throws -> ChannelResponse {
///             let start = ContinuousClock.now
///             defer { print(call.path, ContinuousClock.now - start) }
///             return try await next(call, request)
///         }
///     }
///
/// One that only changes the call needs no more than `prepare`. One that waits for the end of a streaming call asks
/// `ClientCall.onEnd`.
public protocol ClientInterceptor: Sendable {
    typealias UnaryNext = @Sendable (OutgoingCall, Payload) async throws -> ChannelResponse
    typealias OpenNext = @Sendable (OutgoingCall) async throws -> ClientCall

    /// Changes a call of any kind. - Throws: the call fails with the error, and is not sent.
    func prepare(_ call: inout OutgoingCall) async throws

    func unary(_ call: OutgoingCall, _ request: Payload, next: UnaryNext) async throws -> ChannelResponse

    func open(_ call: OutgoingCall, next: OpenNext) async throws -> ClientCall
}

extension ClientInterceptor {
    public func prepare(_ call: inout OutgoingCall) async throws {}

    public func unary(_ call: OutgoingCall, _ request: Payload, next: UnaryNext) async throws -> ChannelResponse {
        var call = call
        try await prepare(&call)
        return try await next(call, request)
    }

    public func open(_ call: OutgoingCall, next: OpenNext) async throws -> ClientCall {
        var call = call
        try await prepare(&call)
        return try await next(call)
    }
}
