import NIOCore

/// One `grpc.health.v1.Health/Watch` call, as its client sees it.
public struct HealthWatch: Sendable {
    let call: ClientCall
    let connection: RPCConnection
    /// The status now, and again each time it changes; ends with the call.
    public var statuses: AsyncThrowingMapSequence<MessageStream, HealthService.Status> {
        call.responses.map { [connection] in try connection.read($0.message, HealthMessages.status) }
    }
    public func cancel() { call.cancel() }
}

extension RPCConnection {
    /// The health of every service of the peer.
    /// - Throws: `RPCError` UNIMPLEMENTED if the peer has no List, RESOURCE_EXHAUSTED if it has too many services.
    public func listHealth(options: CallOptions = .init()) async throws -> [String: HealthService.Status] {
        let response = try await unary(HealthMessages.listPath, Payload(ByteBuffer()), options: ofHealth(options))
        return try read(response.payload.message, HealthMessages.statuses)
    }

    /// Watches the health of `service`; the empty name is the whole server.
    public func watchHealth(of service: String) async throws -> HealthWatch {
        let call = try await open(HealthMessages.watchPath, options: ofHealth(CallOptions()))
        try await call.send(Payload(HealthMessages.request(service: service)))
        call.finishSending()
        return HealthWatch(call: call, connection: self)
    }

    /// - Throws: `RPCError` NOT_FOUND if the peer does not know `service`, UNIMPLEMENTED if it has no health service.
    public func checkHealth(
        of service: String = "", options: CallOptions = CallOptions()
    ) async throws -> HealthService.Status {
        let request = Payload(HealthMessages.request(service: service))
        let response = try await unary(HealthMessages.checkPath, request, options: ofHealth(options))
        return try read(response.payload.message, HealthMessages.status)
    }

    private func ofHealth(_ options: CallOptions) -> CallOptions {
        var options = options
        let most = configuration.maxHealthAnswerBytes
        options.maxResponseBytes = min(most, options.maxResponseBytes ?? most)
        return options
    }
}
