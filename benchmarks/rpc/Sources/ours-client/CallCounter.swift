import RPC
import Synchronization

/// Counts calls and those that failed, as a client with metrics would: what is measured has an interceptor on.
final class CallCounter: ClientInterceptor {
    private let begun = Atomic(0)
    private let failed = Atomic(0)

    func unary(_ call: OutgoingCall, _ request: Payload, next: UnaryNext) async throws -> ChannelResponse {
        begun.add(1, ordering: .relaxed)
        do {
            return try await next(call, request)
        } catch {
            failed.add(1, ordering: .relaxed)
            throw error
        }
    }
}
