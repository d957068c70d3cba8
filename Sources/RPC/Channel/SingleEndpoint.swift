import Logging
import NIOCore
import Synchronization

/// The source of a channel to one address: connects when a call needs it, again when the connection is lost, and waits
/// between attempts that fail.
final class SingleEndpoint: ConnectionSource {
    /// A connection and whether it was of use.
    private final class Current: Sendable {
        let connection: RPCConnection
        let hasAnswered = Atomic(false)
        init(_ connection: RPCConnection) { self.connection = connection }
    }

    private struct Waiter {
        var continuation: CheckedContinuation<Void, any Error>
        var waitsForReady: Bool
        var timer: Scheduled<Void>?

        func resume(_ result: Result<Void, any Error>) {
            timer?.cancel()
            continuation.resume(with: result)
        }
    }

    private struct State {
        var reconnect: ReconnectState
        var current: Current?
        var waiters: [UInt64: Waiter] = [:]
        var nextWaiter: UInt64 = 0
        /// Connects, or waits before it does. Ended by `drain` and `close`.
        var connecting: Task<Void, Never>?

        mutating func takeWaiters(_ condition: (Waiter) -> Bool = { _ in true }) -> [Waiter] {
            let taken = waiters.filter { condition($0.value) }
            for ticket in taken.keys { waiters[ticket] = nil }
            return Array(taken.values)
        }
    }

    private let address: ServerAddress
    private let name: String
    private let configuration: EndpointConfiguration
    private let budget: MemoryBudget
    private let group: any EventLoopGroup
    private let logger: Logger
    private let state: Mutex<State>

    init(
        _ address: ServerAddress, _ configuration: EndpointConfiguration, budget: MemoryBudget,
        group: any EventLoopGroup, logger: Logger
    ) {
        self.address = address
        name = "\(address)"
        self.configuration = configuration
        self.budget = budget
        self.group = group
        self.logger = logger
        state = Mutex(State(reconnect: ReconnectState(configuration.backoff)))
    }

    deinit { state.withLock { $0.current }?.connection.drain() }

    // ---- calls ----

    func next(excluding tried: Set<String>, options: CallOptions) async throws -> SuppliedConnection {
        while true {
            if let current = state.withLock({ $0.current }), current.connection.isUsable {
                return SuppliedConnection(name: name, connection: current.connection)
            }
            try await waitForConnection(options)
        }
    }

    func hasOther(than endpoint: String, excluding tried: Set<String>) -> Bool { false }

    func finished(_ supplied: SuppliedConnection, _ outcome: AttemptOutcome) {
        guard outcome.isUse, let current = state.withLock({ $0.current }),
            current.connection === supplied.connection, !current.hasAnswered.load(ordering: .relaxed)
        else { return }
        current.hasAnswered.store(true, ordering: .relaxed)
        state.withLock { $0.reconnect.answered() }
    }

    private func waitForConnection(_ options: CallOptions) async throws {
        let waitsForReady = options.waitForReady ?? false
        let ticket = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                wait(Waiter(continuation: continuation, waitsForReady: waitsForReady), ticket, options.deadline)
            }
        } onCancel: {
            resume(ticket, RPCError(.cancelled, "call was cancelled while it waited for \(name)"))
        }
    }

    private func wait(_ waiter: Waiter, _ ticket: UInt64, _ deadline: Deadline?) {
        let now: Result<Void, any Error>? = state.withLock { state in
            if Task.isCancelled {
                return .failure(RPCError(.cancelled, "call was cancelled", neverStarted: true))
            }
            switch state.reconnect.callCame(waitsForReady: waiter.waitsForReady) {
            case .use: return .success(())
            case .fail(let error): return .failure(error)
            case .connect: state.connecting = Task { await self.connect() }
            case .wait: break
            }
            guard state.waiters.count < configuration.maxWaitingCalls else {
                return .failure(
                    RPCError(
                        .resourceExhausted,
                        "\(state.waiters.count) calls wait for \(name), limit \(configuration.maxWaitingCalls)"))
            }
            var waiter = waiter
            if let deadline { waiter.timer = expire(ticket, at: deadline) }
            state.waiters[ticket] = waiter
            return nil
        }
        if let now { waiter.resume(now) }
    }

    private func expire(_ ticket: UInt64, at deadline: Deadline) -> Scheduled<Void> {
        group.any().scheduleTask(deadline: deadline.instant) { [weak self] in
            guard let self else { return }
            resume(ticket, RPCError(.deadlineExceeded, "deadline exceeded while waiting for \(trouble)"))
        }
    }

    /// What it waits for, and why it has to.
    private var trouble: String {
        guard case .backingOff(let error) = state.withLock({ $0.reconnect.phase }) else {
            return "a connection to \(name)"
        }
        return "a connection to \(name): \(error.message)"
    }

    private func resume(_ ticket: UInt64, _ error: RPCError) {
        state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume(.failure(error))
    }

    // ---- the connection ----

    private func connect() async {
        while !Task.isCancelled {
            do {
                let connection = try await RPCConnection.connect(
                    to: address, authority: configuration.authority, configuration: configuration.client,
                    budget: budget, group: group, logger: logger)
                return connected(connection)
            } catch {
                guard let wait = failed(RPCError(of: error)), await backoffEnded(after: wait) else { return }
            }
        }
    }

    private func connected(_ connection: RPCConnection) {
        let current = Current(connection)
        let waiters = state.withLock { state -> [Waiter]? in
            guard state.reconnect.connected() else { return nil }
            state.current = current
            state.connecting = nil
            return state.takeWaiters()
        }
        guard let waiters else { return connection.drain() }
        for waiter in waiters { waiter.resume(.success(())) }
        connection.onUnusable { [weak self] in self?.lost(current) }
    }

    /// - Returns: how long to wait; nil: it was closed.
    private func failed(_ error: RPCError) -> Duration? {
        logger.debug("cannot connect", metadata: ["peer": "\(name)", "error": "\(error.message)"])
        let (wait, waiters) = state.withLock { state in
            var random = SystemRandomNumberGenerator()
            return (state.reconnect.failed(error, using: &random), state.takeWaiters { !$0.waitsForReady })
        }
        for waiter in waiters { waiter.resume(.failure(error)) }
        return wait
    }

    /// - Returns: connect again.
    private func backoffEnded(after wait: Duration) async -> Bool {
        guard (try? await Task.sleep(for: wait)) != nil else { return false }
        return state.withLock { state in
            let connects = state.reconnect.backoffEnded(hasWaiters: !state.waiters.isEmpty)
            if !connects { state.connecting = nil }
            return connects
        }
    }

    private func lost(_ current: Current) {
        state.withLock { state in
            guard state.current === current else { return }
            state.current = nil
            var random = SystemRandomNumberGenerator()
            let wasOfUse = current.hasAnswered.load(ordering: .relaxed)
            guard let wait = state.reconnect.lost(wasOfUse: wasOfUse, using: &random) else { return }
            state.connecting = Task { if await self.backoffEnded(after: wait) { await self.connect() } }
        }
    }

    func drain() { end { $0.drain() } }

    func close() { end { $0.close() } }

    private func end(_ body: (RPCConnection) -> Void) {
        let (current, waiters, connecting) = state.withLock { state in
            state.reconnect.close()
            defer { state.current = nil }
            return (state.current, state.takeWaiters(), state.connecting.take())
        }
        connecting?.cancel()
        for waiter in waiters {
            waiter.resume(.failure(RPCError(.unavailable, "the channel was closed", neverStarted: true)))
        }
        if let current { body(current.connection) }
    }
}

extension AttemptOutcome {
    /// The server was there.
    fileprivate var isUse: Bool {
        switch self {
        case .answered, .opened: true
        case .failed(let error):
            !error.neverStarted && !error.lostConnection && ![.cancelled, .deadlineExceeded].contains(error.code)
        case .abandoned: false
        }
    }
}
