import Logging
import NIOCore
import RPC
import Synchronization

/// One endpoint: connects with backoff, watches its health, connects again when it is lost.
///
///     connecting ──connected──▶ unhealthy, wrong service ◀──health──▶ ready
///         ▲                        │                                    │
///         └───────── backoff ◀─────┴────────────────── connection lost ─┘    stop(): drained, then run() ends
final class Subchannel: Sendable {
    let name: String
    private let address: ResolvedAddress
    private unowned let channel: BalancedChannel
    private let state = Mutex(State())

    private struct State {
        var connection: RPCConnection?
        var serving = false
        /// Its process has no such service.
        var isWrong = false
        var stopped = false
        var reason: String? = "not connected yet"
        var failures = 0
        /// Of what the log is told.
        var news = EndpointNews()
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

    var unreadyState: EndpointState.State {
        state.withLock { $0.connection == nil ? .connecting : $0.isWrong ? .wrongService : .unhealthy }
    }
    var reason: String? { state.withLock { $0.reason } }

    func run() async {
        while !isStopped && !Task.isCancelled {
            let reason = await connectAndWatch()
            let failures = state.withLock { state in
                state.connection = nil
                state.serving = false
                state.isWrong = false
                state.reason = reason
                state.failures += 1
                return state.failures
            }
            channel.becameUnready(self, lostConnection: true)
            if isStopped || Task.isCancelled { break }
            channel.logger.debug("not connected", metadata: ["endpoint": "\(name)", "reason": "\(reason)"])
            tell(.lost, reason)
            var random = SystemRandomNumberGenerator()
            await channel.pause(ReconnectPace(after: failures, channel.configuration, using: &random))
        }
    }

    /// The log hears of it, if it is news.
    func tell(_ change: EndpointNews.Change, _ reason: String? = nil) {
        let now = channel.now
        guard let line = state.withLock({ $0.stopped ? nil : $0.news.note(change, now: now) }) else { return }
        var metadata: Logger.Metadata = ["endpoint": "\(name)", "target": "\(channel.target)"]
        if let reason { metadata["reason"] = "\(reason)" }
        if line.leftOut > 0 { metadata["left_out"] = "\(line.leftOut)" }
        channel.logger.info("\(line.text)", metadata: metadata)
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
                to: address.address, authority: address.name.map { "\($0)" },
                configuration: channel.configuration.client,
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
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                // On the connection's loop: a question elsewhere wakes four threads, for each endpoint and second.
                tasks.addTask(executorPreference: connection.executor) { [self] in await report(connection) }
                defer { tasks.cancelAll() }
                try await watch(connection)
            }
            return "connection ended"
        } catch let error as RPCError {
            return error.message
        } catch {
            return SystemError.text(error)
        }
    }

    // ---- health ----

    /// After so many there may be a place for another one who watches.
    private static let checksBeforeWatch = 30

    /// Until the connection takes no new calls, or its health is not told any more.
    private func watch(_ connection: RPCConnection) async throws {
        while true {
            do {
                // Who has no such method may say so before the request is sent.
                let health = try await connection.watchHealth(of: channel.healthService)
                connection.onUnusable { health.cancel() }
                for try await status in health.statuses { apply(status) }
                return
            } catch let error as RPCError where error.code == .unimplemented {
                return try await poll(connection, checks: nil)
            } catch let error as RPCError where error.code == .resourceExhausted && error.limit != .messageBytes {
                // Too many others watch: it can be asked all the same, until there is a place.
                try await poll(connection, checks: Self.checksBeforeWatch)
                if !connection.isUsable { return }
            } catch let error as RPCError where error.code == .cancelled && !connection.isUsable {
                throw RPCError(.unavailable, "connection takes no new calls")
            }
        }
    }

    /// Asks until the connection takes no new calls.
    /// - Parameter checks: at most; nil: without an end.
    private func poll(_ connection: RPCConnection, checks: Int?) async throws {
        let (usable, end) = AsyncStream.makeStream(of: Void.self)
        connection.onUnusable { end.finish() }
        try await withThrowingTaskGroup(of: Bool.self) { tasks in
            tasks.addTask { [self] in
                try await check(connection, checks: checks)
                // Where nothing can be asked, connected is as good as it gets.
                return checks != nil
            }
            tasks.addTask {
                for await _ in usable {}
                return true
            }
            defer { tasks.cancelAll() }
            for try await isOver in tasks where isOver { break }
        }
    }

    /// For who has no Watch, or none for us. Returns after `checks`, or if there is nothing to ask.
    private func check(_ connection: RPCConnection, checks: Int?) async throws {
        var count = 0
        while checks.map({ count < $0 }) ?? true {
            count += 1
            do {
                let options = CallOptions(deadline: .after(channel.configuration.healthTimeout))
                apply(try await connection.checkHealth(of: channel.healthService, options: options))
            } catch let error as RPCError where error.code == .notFound {
                apply(.serviceUnknown)
            } catch let error as RPCError where error.code == .deadlineExceeded {
                apply(.unknown)
            } catch let error as RPCError where error.code == .resourceExhausted && error.limit != .messageBytes {
                // It has too much to do to say; that is no news of its health.
            } catch let error as RPCError where error.code == .unimplemented {
                // No health service there: connected is as good as it gets, if it knows the probe's method.
                apply(await isWrong(connection) ? .serviceUnknown : .serving)
                if checks == nil { return }
            }
            try await Task.sleep(for: channel.healthWait())
        }
    }

    private func apply(_ status: HealthService.Status) {
        let serving = status == .serving
        state.withLock { state in
            state.serving = serving && !state.stopped
            state.isWrong = status == .serviceUnknown
            state.reason = serving ? nil : reason(of: status)
            if serving { state.failures = 0 }
        }
        if serving {
            channel.becameReady(self)
            tell(.ready)
        } else {
            channel.becameUnready(self, lostConnection: false)
            tell(.unhealthy, reason(of: status))
        }
    }

    private func reason(of status: HealthService.Status) -> String {
        status == .serviceUnknown ? "wrong service: it does not know '\(channel.healthService)'" : "health is \(status)"
    }

    // ---- reports ----

    private func probing(_ connection: RPCConnection) -> RPCChannel {
        var once = RPCChannelConfiguration()
        once.interceptors = channel.configuration.interceptors
        once.service.defaults.maxResponseBytes = channel.configuration.maxProbeBytes
        return RPCChannel(
            OneConnection(connection, name: name), sharing: ChannelState(once, logger: channel.logger))
    }

    /// Asks again and again, until the connection takes no new calls or the peer has nothing to say.
    private func report(_ connection: RPCConnection) async {
        let configuration = channel.configuration
        guard let probe = configuration.probe else { return }
        let probing = probing(connection)
        channel.asks(1)
        defer { channel.asks(-1) }
        while connection.isUsable, !Task.isCancelled {
            do {
                channel.reported(self, try await probe.ask(probing, .after(configuration.probeTimeout)))
            } catch let error as RPCError where error.code == .deadlineExceeded {
                channel.reported(self, nil)
            } catch let error as RPCError
                where [.unimplemented, .permissionDenied, .unauthenticated].contains(error.code)
            {
                return
            } catch {
                // A connection that ends, or a node that is busy.
            }
            // Whether it was cancelled the loop asks.
            await connection.sleep(until: channel.nextProbe(of: name))
        }
    }

    private func isWrong(_ connection: RPCConnection) async -> Bool {
        guard let probe = channel.configuration.probe else { return false }
        do {
            _ = try await probe.ask(probing(connection), .after(channel.configuration.probeTimeout))
            return false
        } catch {
            return (error as? RPCError)?.code == .unimplemented
        }
    }
}
