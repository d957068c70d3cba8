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
    private let address: SocketAddress
    private unowned let channel: BalancedChannel
    private let state = Mutex(State())

    private struct State {
        var connection: RPCConnection?
        var serving = false
        var stopped = false
        var reason: String? = "not connected yet"
        var failures = 0
        /// Ends the wait for what `run()` waits for.
        var interrupt: (@Sendable () -> Void)?
    }

    init(name: String, address: SocketAddress, channel: BalancedChannel) {
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
            channel.becameUnready(name, lostConnection: true)
            if isStopped || Task.isCancelled { break }
            channel.logger.debug("endpoint lost", metadata: ["endpoint": "\(name)", "reason": "\(reason)"])
            var random = SystemRandomNumberGenerator()
            try? await Task.sleep(for: channel.configuration.backoff.wait(after: failures, using: &random))
        }
    }

    /// No new calls; what runs may finish; then `run()` ends.
    func stop() {
        let (connection, interrupt) = state.withLock { state in
            state.stopped = true
            state.serving = false
            return (state.connection, state.interrupt)
        }
        interrupt?()
        connection?.drain()
    }

    private var isStopped: Bool { state.withLock { $0.stopped } }

    /// - Returns: why it ended.
    private func connectAndWatch() async -> String {
        do {
            let connection = try await RPCConnection.connect(
                to: address, configuration: channel.configuration.client, group: channel.group, logger: channel.logger)
            state.withLock { state in
                state.connection = connection
                state.reason = "health is not known yet"
            }
            // What runs there may finish when the endpoint is only gone from the name.
            defer { if isStopped { connection.drain() } else { connection.close() } }
            try await watch(connection)
            return "connection ended"
        } catch let error as RPCError {
            return error.message
        } catch {
            return "\(error)"
        }
    }

    private func watch(_ connection: RPCConnection) async throws {
        let health = try await connection.watchHealth(of: channel.healthService)
        let stopped = state.withLock { state in
            state.interrupt = { health.cancel() }
            return state.stopped
        }
        defer { state.withLock { $0.interrupt = nil } }
        if stopped { return }
        do {
            for try await status in health.statuses { apply(status) }
        } catch let error as RPCError where error.code == .unimplemented {
            // No health service there: connected is as good as it gets.
            apply(.serving)
            throw await connection.closed()
        }
    }

    private func apply(_ status: HealthService.Status) {
        let serving = status == .serving
        state.withLock { state in
            state.serving = serving && !state.stopped
            state.reason = serving ? nil : "health is \(status)"
            if serving { state.failures = 0 }
        }
        if serving { channel.becameReady(name) } else { channel.becameUnready(name, lostConnection: false) }
    }
}
