import Synchronization

/// A streaming call of a channel: on one attempt at a time, until one is committed (gRPC proposal A6).
///
///     running ──response head, or too much sent──▶ running, committed ──▶ ended
///      ▲   └──attempt failed──▶ recovering ──nothing more to try──────────▶ ended
///      └──── new attempt, replayed ──┘
///
/// The task that recovers belongs to the call: `cancel()` ends it, and so does a new attempt.
final class ReplayedCall: AttemptedCall {
    private enum Phase {
        case running
        case recovering
        case ended(RPCError?)
    }

    private struct State {
        var phase = Phase.running
        var attempt: StreamAttempt
        var endpoint: String
        /// Attempts that had a stream.
        var generation = 0
        var series: AttemptSeries
        /// nil: committed.
        var replay: ReplayBuffer?
        var hasFinishedSending = false
        var recovery: Task<Void, Never>?
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter: UInt64 = 0
        var listeners: [@Sendable (RPCError?) -> Void] = []
    }

    /// What a holder does with a message.
    private enum Sending {
        case forward(StreamAttempt, generation: Int, isKept: Bool)
        case kept
        case wait(generation: Int)
    }

    /// What was sent to an attempt that has failed.
    private enum Settled {
        case replayed
        case ended(RPCError?)
    }

    private let path: String
    private let channel: RPCChannel
    private let method: MethodConfig
    private let compression: Compression
    private let state: Mutex<State>

    /// - Parameter attempt: the first, open on `endpoint`.
    init(
        _ path: String, on channel: RPCChannel, _ method: MethodConfig, _ series: AttemptSeries,
        _ attempt: StreamAttempt, endpoint: String
    ) {
        self.path = path
        self.channel = channel
        self.method = method
        compression = attempt.call.options.compression
        state = Mutex(
            State(
                attempt: attempt, endpoint: endpoint, series: series,
                replay: ReplayBuffer(limit: channel.state.configuration.maxReplayBytes)))
        watch(attempt, generation: 0)
    }

    deinit { state.withLock { commit(&$0) } }

    // ---- sending ----

    func send(_ payload: Payload) async throws {
        try method.check(payload, path)
        let payload = try payload.deflated(as: compression)
        while true {
            switch try state.withLock({ state throws(RPCError) in try sending(payload, &state) }) {
            case .kept: return
            case .wait(let generation): _ = try await settled(generation)
            case .forward(let attempt, let generation, let isKept):
                do { return try await attempt.send(payload) } catch {
                    if Task.isCancelled { throw RPCError(of: error) }
                    switch try await settled(generation) {
                    case .replayed where isKept: return
                    case .replayed: continue
                    case .ended(let reason): throw reason ?? RPCError(of: error)
                    }
                }
            }
        }
    }

    private func sending(_ payload: Payload, _ state: inout State) throws(RPCError) -> Sending {
        switch state.phase {
        case .ended(let error): throw error ?? RPCError(.cancelled, "peer has ended the call")
        case .recovering: return keep(payload, &state) ? .kept : .wait(generation: state.generation)
        case .running:
            if state.attempt.state.hasResponse || !keep(payload, &state) { commit(&state) }
            return .forward(state.attempt, generation: state.generation, isKept: state.replay != nil)
        }
    }

    private func keep(_ payload: Payload, _ state: inout State) -> Bool {
        let cost = ReplayBuffer.cost(of: payload)
        guard state.replay != nil, channel.state.reserveReplay(cost) else { return false }
        if state.replay?.keep(payload) == true { return true }
        channel.state.releaseReplay(cost)
        return false
    }

    /// The attempt that runs is the last.
    private func commit(_ state: inout State) {
        guard let replay = state.replay.take() else { return }
        channel.state.releaseReplay(replay.bytes)
    }

    func finishSending() {
        state.withLock { state in
            state.hasFinishedSending = true
            if case .running = state.phase { state.attempt.finishSending() }
        }
    }

    // ---- receiving ----

    func next() async throws -> Payload? {
        try await reading { attempt in try await attempt.state.inbound.next() }
    }

    func initialMetadata() async throws -> Metadata {
        try await reading { attempt in try await attempt.state.initialMetadata() }
    }

    var trailers: Metadata { state.withLock { $0.attempt }.state.trailers }

    /// What the first attempt that answers gives.
    private func reading<Value>(_ body: (StreamAttempt) async throws -> Value) async throws -> Value {
        while true {
            let (attempt, generation) = state.withLock { ($0.attempt, $0.generation) }
            do {
                let value = try await body(attempt)
                state.withLock { commit(&$0) }
                return value
            } catch {
                let outcome = try await withTaskCancellationHandler {
                    try await self.settled(generation)
                } onCancel: {
                    self.cancel()
                }
                if case .ended(let reason) = outcome { throw reason ?? error }
            }
        }
    }

    // ---- attempts end and begin ----

    private func watch(_ attempt: StreamAttempt, generation: Int) {
        attempt.state.onEnd { error in self.ended(generation, error) }
    }

    private func ended(_ generation: Int, _ error: RPCError?) {
        let announce = state.withLock { state -> (() -> Void)? in
            guard case .running = state.phase, state.generation == generation else { return nil }
            guard let error else {
                channel.state.throttle?.succeeded()
                return end(nil, &state)
            }
            return recover(from: error, &state)
        }
        announce?()
    }

    /// - Returns: what to do outside of the lock.
    private func recover(from error: RPCError, _ state: inout State) -> (() -> Void)? {
        guard !error.isCommitted, state.replay != nil else { return end(error, &state) }
        do throws(RPCError) {
            let wait = try state.series.failed(error, on: state.endpoint, limit: state.series.options.deadline)
            state.phase = .recovering
            state.recovery = Task { await self.recover(after: wait) }
            return nil
        } catch {
            return end(error, &state)
        }
    }

    private func recover(after wait: Duration) async {
        var wait = wait
        while true {
            var supplied: SuppliedConnection?
            do {
                try await AttemptSeries.wait(wait)
                let series = state.withLock { $0.series }
                let picked = try await series.next()
                supplied = picked
                let attempt = try await channel.open(
                    path, series.options(on: picked, mayGiveUp: false), on: picked)
                return begin(attempt, on: picked.name)
            } catch {
                guard let next = failedToBegin(RPCError(of: error), on: supplied?.name) else { return }
                wait = next
            }
        }
    }

    /// - Returns: how long to wait; nil: the call has ended.
    private func failedToBegin(_ error: RPCError, on endpoint: String?) -> Duration? {
        let (wait, announce) = state.withLock { state -> (Duration?, (() -> Void)?) in
            guard case .recovering = state.phase else { return (nil, nil) }
            do throws(RPCError) {
                return (try state.series.failed(error, on: endpoint, limit: state.series.options.deadline), nil)
            } catch {
                return (nil, end(error, &state))
            }
        }
        announce?()
        return wait
    }

    private func begin(_ attempt: StreamAttempt, on endpoint: String) {
        let begun = state.withLock { state -> (Int, [CheckedContinuation<Void, Never>])? in
            guard case .recovering = state.phase else { return nil }
            state.phase = .running
            state.attempt = attempt
            state.endpoint = endpoint
            state.generation += 1
            state.recovery = nil
            // Fails if the attempt has ended already, of which we hear.
            for message in state.replay?.messages ?? [] { try? attempt.queue(message) }
            if state.hasFinishedSending { attempt.finishSending() }
            return (state.generation, takeWaiters(&state))
        }
        guard let (generation, waiters) = begun else { return attempt.cancel() }
        watch(attempt, generation: generation)
        for waiter in waiters { waiter.resume() }
    }

    // ---- the call ends ----

    func cancel() {
        let (attempt, announce) = state.withLock { state -> (StreamAttempt, (() -> Void)?) in
            if case .ended = state.phase { return (state.attempt, nil) }
            state.recovery?.cancel()
            return (state.attempt, end(RPCError(.cancelled, "call was cancelled"), &state))
        }
        attempt.cancel()
        announce?()
    }

    private func end(_ error: RPCError?, _ state: inout State) -> () -> Void {
        commit(&state)
        state.phase = .ended(error)
        state.recovery = nil
        let waiters = takeWaiters(&state)
        let listeners = state.listeners
        state.listeners = []
        return {
            for waiter in waiters { waiter.resume() }
            for listener in listeners { listener(error) }
        }
    }

    func onEnd(_ action: @escaping @Sendable (RPCError?) -> Void) {
        let ended = state.withLock { state -> RPCError?? in
            if case .ended(let error) = state.phase { return .some(error) }
            state.listeners.append(action)
            return nil
        }
        if let ended { action(ended) }
    }

    // ---- holders wait ----

    /// Waits until what the attempt `generation` failed with has been dealt with.
    /// - Throws: CANCELLED when the task is cancelled.
    private func settled(_ generation: Int) async throws -> Settled {
        let ticket = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        while true {
            if let settled = state.withLock({ settled($0, after: generation) }) { return settled }
            if Task.isCancelled { throw RPCError(.cancelled, "call was cancelled") }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isSettled = state.withLock { state in
                        if settled(state, after: generation) != nil || Task.isCancelled { return true }
                        state.waiters[ticket] = continuation
                        return false
                    }
                    if isSettled { continuation.resume() }
                }
            } onCancel: {
                state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume()
            }
        }
    }

    private func settled(_ state: borrowing State, after generation: Int) -> Settled? {
        // The next attempt may have ended too by now.
        if state.generation > generation { return .replayed }
        if case .ended(let error) = state.phase { return .ended(error) }
        return nil
    }

    private func takeWaiters(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        defer { state.waiters = [:] }
        return Array(state.waiters.values)
    }
}
