import Synchronization

/// A streaming call of a channel whose attempts are made one after the other: what `RetriedStream` decides, done on connections.
///
/// The task that recovers belongs to the call: `cancel()` ends it, and so does a new attempt.
final class RetriedCall: AttemptedCall {
    private typealias Stream = RetriedStream<StreamAttempt>

    private struct State {
        var stream: Stream
        /// Where its attempt runs.
        var endpoint: String
        var series: AttemptSeries
        var recovery: Task<Void, Never>?
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
        let stream = Stream(attempt, limit: channel.state.configuration.maxReplayBytes)
        state = Mutex(State(stream: stream, endpoint: endpoint, series: series))
        watch(attempt, generation: 0)
    }

    deinit { channel.state.releaseReplay(state.withLock { $0.stream.keptBytes }) }

    /// What is not kept any more is given back.
    private func change<Value: Sendable, Failure>(
        _ body: (inout State) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try state.withLock { state throws(Failure) in
            let kept = state.stream.keptBytes
            defer { channel.state.releaseReplay(max(0, kept - state.stream.keptBytes)) }
            return try body(&state)
        }
    }

    // ---- sending ----

    func send(_ payload: Payload) async throws {
        try method.check(payload, path)
        let payload = try payload.deflated(as: compression)
        while true {
            let sending = try change { state throws(RPCError) in
                try state.stream.send(payload) { channel.state.reserveReplay($0) }
            }
            switch sending {
            case .kept: return
            case .wait(let generation): _ = try await settled(generation)
            case .forward(let attempt, let generation, let isKept):
                if try await forward(payload, to: attempt, generation, isKept: isKept) { return }
            case .commit(let attempt, let generation):
                channel.state.count(.replayBytes, path)
                if try await forward(payload, to: attempt, generation, isKept: false) { return }
            }
        }
    }

    /// - Returns: false if it is to be sent to the next attempt.
    private func forward(
        _ payload: Payload, to attempt: StreamAttempt, _ generation: Int, isKept: Bool
    ) async throws -> Bool {
        do {
            try await attempt.send(payload)
            return true
        } catch {
            if Task.isCancelled { throw RPCError(of: error) }
            switch try await settled(generation) {
            case .replayed: return isKept
            case .ended(let reason): throw reason ?? RPCError(of: error)
            }
        }
    }

    func finishSending() { state.withLock { $0.stream.finishSending()?.finishSending() } }

    // ---- receiving ----

    func next() async throws -> Payload? {
        try await reading { attempt in try await attempt.state.inbound.next() }
    }

    func initialMetadata() async throws -> Metadata {
        try await reading { attempt in try await attempt.state.initialMetadata() }
    }

    var trailers: Metadata { state.withLock { $0.stream.attempt }.state.trailers }

    /// What the first attempt that answers gives.
    private func reading<Value>(_ body: (StreamAttempt) async throws -> Value) async throws -> Value {
        while true {
            let (attempt, generation) = state.withLock { ($0.stream.attempt, $0.stream.generation) }
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
        attempt.state.onResponse { self.change { $0.stream.answered(generation) } }
        attempt.state.onEnd { error in self.ended(generation, error) }
    }

    private func ended(_ generation: Int, _ error: RPCError?) {
        change { state in
            switch state.stream.ended(generation, error) {
            case .late, .ended(.some): break
            case .ended(nil): channel.state.throttle?.succeeded()
            case .failed(let error):
                guard let wait = nextWait(after: error, on: state.endpoint, &state) else { return }
                state.recovery = Task { await self.recover(from: error, after: wait) }
            }
        }
        announce()
    }

    /// - Returns: how long to wait for the next attempt; nil: there is none, and the call has ended.
    private func nextWait(after error: RPCError, on endpoint: String?, _ state: inout State) -> Duration? {
        do throws(RPCError) {
            return try state.series.failed(error, on: endpoint, limit: state.series.options.deadline)
        } catch {
            state.stream.end(error)
            state.recovery = nil
            return nil
        }
    }

    private func recover(from error: RPCError, after wait: Duration) async {
        var (error, wait) = (error, wait)
        while true {
            do { try await channel.state.pause(wait, after: error) } catch { return end(error) }
            var supplied: SuppliedConnection?
            do {
                let series = state.withLock { $0.series }
                let picked = try await series.next()
                supplied = picked
                let attempt = try await channel.open(
                    path, series.options(on: picked, mayGiveUp: false), on: picked)
                return begin(attempt, on: picked.name)
            } catch let failure {
                error = RPCError(of: failure)
                guard let next = failedToBegin(error, on: supplied?.name) else { return }
                wait = next
            }
        }
    }

    /// There is no next attempt.
    private func end(_ error: RPCError) {
        change { state in
            state.stream.end(error)
            state.recovery = nil
        }
        announce()
    }

    /// - Returns: how long to wait; nil: the call has ended.
    private func failedToBegin(_ error: RPCError, on endpoint: String?) -> Duration? {
        let wait = change { state -> Duration? in
            guard case .recovering = state.stream.phase else { return nil }
            return nextWait(after: error, on: endpoint, &state)
        }
        announce()
        return wait
    }

    private func begin(_ attempt: StreamAttempt, on endpoint: String) {
        let begun = state.withLock { state -> Int? in
            guard let replay = state.stream.begin(attempt) else { return nil }
            state.endpoint = endpoint
            state.recovery = nil
            // Fails if the attempt has ended already, of which we hear.
            for message in replay.messages { try? attempt.queue(message) }
            if replay.isFinished { attempt.finishSending() }
            return replay.generation
        }
        guard let generation = begun else { return attempt.cancel() }
        watch(attempt, generation: generation)
        waiters.resume(with: .success(()))
    }

    // ---- the call ends ----

    func cancel() {
        let (attempt, recovery) = change { state -> (StreamAttempt, Task<Void, Never>?) in
            state.stream.end(RPCError(.cancelled, "call was cancelled"))
            return (state.stream.attempt, state.recovery.take())
        }
        recovery?.cancel()
        attempt.cancel()
        announce()
    }

    /// Tells of the end, if the call has ended.
    private func announce() {
        guard case .ended(let error) = state.withLock({ $0.stream.phase }) else { return }
        waiters.resume(with: .success(()))
        ending.happened(error)
    }

    func onEnd(_ action: @escaping @Sendable (RPCError?) -> Void) { ending.tell(action) }

    // ---- holders wait ----

    /// Waits until what the attempt `generation` failed with has been dealt with.
    /// - Throws: CANCELLED when the task is cancelled.
    private func settled(_ generation: Int) async throws -> Stream.Settled {
        while true {
            if let settled = state.withLock({ $0.stream.settled(after: generation) }) { return settled }
            try await waiters.wait("call was cancelled") {
                state.withLock { $0.stream.settled(after: generation) }.map { _ in .success(()) }
            }
        }
    }
}
