import Logging
import NIOCore
import RPC
import Synchronization

/// One endpoint: connects with backoff, watches its health, connects again when it is lost.
///
///     connecting ──connected──▶ unhealthy ◀──health──▶ ready
///         ▲                        │                     │
///         └───────── backoff ◀─────┴──── connection lost ┘        stop(): drained, then run() ends
final class Subchannel: Sendable {
    let name: String
    private let address: ResolvedAddress
    private unowned let channel: BalancedChannel
    private let state = Mutex(State())

    private struct State {
        var connection: RPCConnection?
        var serving = false
        var stopped = false
        var reason: String? = "not connected yet"
        var failures = 0
    }

    init(name: String, address: ResolvedAddress, channel: BalancedChannel) {
        self.name = name
        self.address = address
        self.channel = channel
    }

    /// The connection if new calls can start on it.
    var usableConnection: RPCConnection? {
        state.withLock { $0.serving ? $0.connection : nil }.flatMap { $0.isUsable ? $0 : nil }
    }

    var unreadyState: EndpointState.State { state.withLock { $0.connection == nil ? .connecting : .unhealthy } }
    var reason: String? { state.withLock { $0.reason } }

    func run() async {
        while !isStopped && !Task.isCancelled {
            let reason = await connectAndWatch()
            let failures = state.withLock { state in
                state.connection = nil
                state.serving = false
                state.reason = reason
                state.failures += 1
                return state.failures
            }
            channel.becameUnready(self, lostConnection: true)
            if isStopped || Task.isCancelled { break }
            channel.logger.debug("endpoint lost", metadata: ["endpoint": "\(name)", "reason": "\(reason)"])
            var random = SystemRandomNumberGenerator()
            try? await Task.sleep(for: channel.configuration.backoff.wait(after: failures, using: &random))
        }
    }

    /// No new calls; what runs may finish; then `run()` ends.
    func stop() {
        let connection = state.withLock { state in
            state.stopped = true
            state.serving = false
            return state.connection
        }
        connection?.drain()
    }

    func close() {
        stop()
        state.withLock { $0.connection }?.close()
    }

    private var isStopped: Bool { state.withLock { $0.stopped } }

    /// - Returns: why it ended.
    private func connectAndWatch() async -> String {
        do {
            let connection = try await RPCConnection.connect(
                to: address.address, authority: address.name.map { "\($0)" }, configuration: channel.configuration.client,
                budget: channel.budget, group: channel.group,
                logger: channel.logger)
            let stopped = state.withLock { state in
                state.connection = connection
                state.reason = "health is not known yet"
                return state.stopped
            }
            // What runs there may finish, whether the endpoint is gone from the name or restarts.
            defer { connection.drain() }
            if stopped { return "stopped" }
            try await watch(connection)
            return "connection ended"
        } catch let error as RPCError {
            return error.message
        } catch {
            return "\(error)"
        }
    }

    /// Until the connection takes no new calls, or its health is not told any more.
    private func watch(_ connection: RPCConnection) async throws {
        do {
            // Who has no such method may say so before the request is sent.
            let health = try await connection.watchHealth(of: channel.healthService)
            connection.onUnusable { health.cancel() }
            for try await status in health.statuses { apply(status) }
        } catch let error as RPCError where error.code == .unimplemented {
            // No health service there: connected is as good as it gets.
            apply(.serving)
            let (usable, end) = AsyncStream.makeStream(of: Void.self)
            connection.onUnusable { end.finish() }
            for await _ in usable {}
        } catch let error as RPCError where error.code == .cancelled && !connection.isUsable {
            throw RPCError(.unavailable, "connection takes no new calls")
        }
    }

    private func apply(_ status: HealthService.Status) {
        let serving = status == .serving
        state.withLock { state in
            state.serving = serving && !state.stopped
            state.reason = serving ? nil : "health is \(status)"
            if serving { state.failures = 0 }
        }
        if serving { channel.becameReady(self) } else { channel.becameUnready(self, lostConnection: false) }
    }
}
