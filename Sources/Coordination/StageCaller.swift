import Logging
import Mesh
import NIOCore
import RPC
import Services

/// Where the calls of one stage go: a balanced channel, or in tests anything.
protocol StageCaller: Sendable {
    /// - Parameter outageGrace: while there is no node, it fails so long after the last one was lost, or at once. nil: it
    ///   waits for one.
    func call(
        _ path: String, _ request: Payload, options: CallOptions, outageGrace: Duration?
    ) async throws -> ChannelResponse

    /// When there was a node again after there was none; nil: there is none now.
    var lastRecovery: NIODeadline? { get }

    /// What a call has to expect; nil: no node would take it.
    var outlook: EndpointOutlook? { get }

    /// Returns once there is a node.
    /// - Throws: if the task is cancelled, or no node will be looked for any more.
    func untilReady() async throws
}

extension BalancedChannel: StageCaller {
    func untilReady() async throws { try await waitUntilReady(timeout: CoordinatorConfiguration.maxFrameDeadline) }
}

/// One endpoint of a channel, for typed calls that must not go elsewhere.
struct EndpointCaller: Caller {
    let channel: BalancedChannel
    let name: String

    func call(_ path: String, _ request: Payload, options: CallOptions) async throws -> ChannelResponse {
        let response = try await channel.unary(on: name, path, request, options: options)
        return ChannelResponse(response: response, endpoint: name, retries: 0)
    }

    var log: Logger? { channel.logger }
}
