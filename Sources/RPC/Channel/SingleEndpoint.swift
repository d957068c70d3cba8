import Logging
import NIOCore
import Synchronization

/// The source of a channel to one address: connects when a call needs it, again when the connection is lost, and waits
/// between attempts that fail.
final class SingleEndpoint: ConnectionSource {
    private struct State {
        var reconnect: ReconnectState
        var current: RPCConnection?
        /// Connects, or waits before it does. Ended by `drain` and `close`.
        var connecting: Task<Void, Never>?
    }

    private let address: ServerAddress
    private let name: String
    private let configuration: EndpointConfiguration
    private let budget: MemoryBudget
    private let group: any EventLoopGroup
    private let logger: Logger
    private let state: Mutex<State>
    private let waitingCalls: WaitingCalls
    /// Calls that wait for ready.
    private let patient = Waiters<Void>()
    /// Those that wait for the end of one attempt to connect.
    private let others = Waiters<Void>()

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
        waitingCalls = WaitingCalls(limit: configuration.maxWaitingCalls)
    }

    deinit { state.withLock { $0.current }?.drain() }

    // ---- calls ----

    func next(_ attempt: NextAttempt) async throws -> SuppliedConnection {
        while true {
            if let current = state.withLock({ $0.current }), current.isUsable {
                return SuppliedConnection(name: name, connection: current)
            }
            try await waitForConnection(attempt.options)
        }
    }

    func hasOther(than endpoint: String, excluding tried: Set<String>) -> Bool { false }

    /// The connection itself knows what it is good for.
    func finished(_ supplied: SuppliedConnection, _ outcome: AttemptOutcome) {}

    private func waitForConnection(_ options: CallOptions) async throws {
        let waitsForReady = options.waitForReady ?? false
        let limit = options.deadline.map { deadline in
            Waiters<Void>.Limit(deadline, on: group.any()) {
                RPCError(.deadlineExceeded, "deadline exceeded while waiting for \(self.trouble)")
            }
        }
        try await waitingCalls.with(for: name) {
            try await (waitsForReady ? patient : others).wait(
                "call was cancelled while it waited for \(name)", until: limit
            ) { ask(waitsForReady) }
        }
    }

    /// - Returns: nil: the call waits.
    private func ask(_ waitsForReady: Bool) -> Result<Void, RPCError>? {
        state.withLock { state in
            switch state.reconnect.callCame(waitsForReady: waitsForReady) {
            case .use: return .success(())
            case .fail(let error): return .failure(error)
            case .connect: state.connecting = Task { await self.connect() }
            case .wait: break
            }
            return nil
        }
    }

    /// What it waits for, and why it has to.
    private var trouble: String {
        guard case .backingOff(let error) = state.withLock({ $0.reconnect.phase }) else {
            return "a connection to \(name)"
        }
        return "a connection to \(name): \(error.message)"
    }

    private func resumeAll(_ result: Result<Void, RPCError>) {
        patient.resume(with: result)
        others.resume(with: result)
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
        let isWanted = state.withLock { state in
            guard state.reconnect.connected() else { return false }
            state.current = connection
            state.connecting = nil
            return true
        }
        guard isWanted else { return connection.drain() }
        resumeAll(.success(()))
        connection.onUnusable { [weak self] in self?.lost(connection) }
    }

    /// - Returns: how long to wait; nil: it was closed.
    private func failed(_ error: RPCError) -> Duration? {
        logger.debug("cannot connect", metadata: ["peer": "\(name)", "error": "\(error.message)"])
        let wait = state.withLock { state in
            var random = SystemRandomNumberGenerator()
            return state.reconnect.failed(error, using: &random)
        }
        others.resume(with: .failure(error))
        return wait
    }

    /// - Returns: connect again.
    private func backoffEnded(after wait: Duration) async -> Bool {
        guard (try? await Task.sleep(for: wait)) != nil else { return false }
        return state.withLock { state in
            let connects = state.reconnect.backoffEnded(hasWaiters: !patient.isEmpty || !others.isEmpty)
            if !connects { state.connecting = nil }
            return connects
        }
    }

    private func lost(_ connection: RPCConnection) {
        state.withLock { state in
            guard state.current === connection else { return }
            state.current = nil
            var random = SystemRandomNumberGenerator()
            let wait = state.reconnect.lost(wasOfUse: connection.hasAnswered, using: &random)
            guard let wait else { return }
            state.connecting = Task { if await self.backoffEnded(after: wait) { await self.connect() } }
        }
    }

    func drain() { end { $0.drain() } }

    func close() { end { $0.close() } }

    private func end(_ body: (RPCConnection) -> Void) {
        let (current, connecting) = state.withLock { state in
            state.reconnect.close()
            return (state.current.take(), state.connecting.take())
        }
        connecting?.cancel()
        resumeAll(.failure(RPCError(.unavailable, "the channel was closed", neverStarted: true)))
        if let current { body(current) }
    }
}
