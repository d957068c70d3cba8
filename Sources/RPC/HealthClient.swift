/// One `grpc.health.v1.Health/Watch` call, as its client sees it.
public struct HealthWatch: Sendable {
    let call: ClientCall
    /// The status now, and again each time it changes; ends with the call.
    public var statuses: AsyncThrowingMapSequence<MessageStream, HealthService.Status> {
        call.responses.map { _ in fatalError() }
    }
    public func cancel() { call.cancel() }
}

extension RPCConnection {
    /// Watches the health of `service`; the empty name is the whole server.
    public func watchHealth(of service: String) async throws -> HealthWatch {
        HealthWatch(call: try await open("/grpc.health.v1.Health/Watch"))
    }
}
