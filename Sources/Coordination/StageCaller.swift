import Mesh
import RPC
import Services

/// Where the calls of one stage go: a balanced channel, or in tests anything.
protocol StageCaller: Sendable {
    func call(_ path: String, _ request: Payload, options: CallOptions) async throws -> ChannelResponse
}

extension BalancedChannel: StageCaller {}

/// One endpoint of a channel, for typed calls that must not go elsewhere.
struct EndpointCaller: Caller {
    let channel: BalancedChannel
    let name: String

    func unary(_ path: String, _ request: Payload, options: CallOptions) async throws -> UnaryResponse {
        try await channel.unary(on: name, path, request, options: options)
    }
}
