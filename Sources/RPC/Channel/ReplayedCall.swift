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
    /// What an attempt has failed with was dealt with.
    private let waiters = Waiters<Void>()
    private let ending = Ending<RPCError?>()

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
        case _ where state.hasFinishedSending: throw OutboundGate.finished
        case .recovering: return keep(payload, &state) ? .kept : .wait(generation: state.generation)
        case .running:
            if state.replay != nil, !keep(payload, &state) {
                commit(&state)
                channel.state.count(.replayBytes, path)
            }
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
                return try await body(attempt)
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
        attempt.state.onResponse { self.answered(generation) }
        attempt.state.onEnd { error in self.ended(generation, error) }
    }

    /// There is no other attempt after it.
    private func answered(_ generation: Int) {
        state.withLock { state in if state.generation == generation { commit(&state) } }
    }

    private func ended(_ generation: Int, _ error: RPCError?) {
        state.withLock { state in
            guard case .running = state.phase, state.generation == generation else { return }
            if let error { return recover(from: error, &state) }
            channel.state.throttle?.succeeded()
            end(nil, &state)
        }
        announce()
    }

    private func recover(from error: RPCError, _ state: inout State) {
        guard !error.isCommitted, state.replay != nil else { return end(error, &state) }
        do throws(RPCError) {
            let wait = try state.series.failed(error, on: state.endpoint, limit: state.series.options.deadline)
            state.phase = .recovering
            state.recovery = Task { await self.recover(after: wait) }
        } catch {
            end(error, &state)
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
        let wait = state.withLock { state -> Duration? in
            guard case .recovering = state.phase else { return nil }
            do throws(RPCError) {
                return try state.series.failed(error, on: endpoint, limit: state.series.options.deadline)
            } catch {
                end(error, &state)
                return nil
            }
        }
        announce()
        return wait
    }

    private func begin(_ attempt: StreamAttempt, on endpoint: String) {
        let begun = state.withLock { state -> Int? in
            guard case .recovering = state.phase else { return nil }
            state.phase = .running
            state.attempt = attempt
            state.endpoint = endpoint
            state.generation += 1
            state.recovery = nil
            // Fails if the attempt has ended already, of which we hear.
            for message in state.replay?.messages ?? [] { try? attempt.queue(message) }
            if state.hasFinishedSending { attempt.finishSending() }
            return state.generation
        }
        guard let generation = begun else { return attempt.cancel() }
        watch(attempt, generation: generation)
        waiters.resume(with: .success(()))
    }

    // ---- the call ends ----

    func cancel() {
        let attempt = state.withLock { state in
            if case .ended = state.phase { return state.attempt }
            state.recovery?.cancel()
            end(RPCError(.cancelled, "call was cancelled"), &state)
            return state.attempt
        }
        attempt.cancel()
        announce()
    }

    /// Whoever calls this announces it when the lock is open.
    private func end(_ error: RPCError?, _ state: inout State) {
        commit(&state)
        state.phase = .ended(error)
        state.recovery = nil
    }

    /// Tells of the end, if the call has ended.
    private func announce() {
        guard case .ended(let error) = state.withLock({ $0.phase }) else { return }
        waiters.resume(with: .success(()))
        ending.happened(error)
    }

    func onEnd(_ action: @escaping @Sendable (RPCError?) -> Void) { ending.tell(action) }

    // ---- holders wait ----

    /// Waits until what the attempt `generation` failed with has been dealt with.
    /// - Throws: CANCELLED when the task is cancelled.
    private func settled(_ generation: Int) async throws -> Settled {
        while true {
            if let settled = state.withLock({ settled($0, after: generation) }) { return settled }
            try await waiters.wait("call was cancelled") {
                state.withLock { settled($0, after: generation) }.map { _ in .success(()) }
            }
        }
    }

    private func settled(_ state: borrowing State, after generation: Int) -> Settled? {
        // The next attempt may have ended too by now.
        if state.generation > generation { return .replayed }
        if case .ended(let error) = state.phase { return .ended(error) }
        return nil
    }
}
