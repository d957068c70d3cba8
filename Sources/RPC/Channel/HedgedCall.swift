import NIOCore
import Synchronization

/// A hedged streaming call: several attempts side by side, until the first of them has a response head. `HedgeState`
/// says when attempts begin, `HedgedStream` what they are sent.
///
/// The task that begins attempts belongs to the call: its end and its commitment cancel it.
final class HedgedCall: AttemptedCall {
    private typealias Stream = HedgedStream<StreamAttempt>

    private struct State {
        var stream: Stream
        var hedging: Task<Void, Never>?
        /// Of the changes.
        var version: UInt64 = 0
    }

    private let path: String
    private let channel: RPCChannel
    private let method: MethodConfig
    private let options: CallOptions
    private let policy: HedgingPolicy
    private let state: Mutex<State>
    /// For the next change.
    private let waiters = Waiters<Void>()
    private let ending = Ending<RPCError?>()

    private init(
        _ path: String, on channel: RPCChannel, _ method: MethodConfig, _ options: CallOptions, _ policy: HedgingPolicy
    ) {
        self.path = path
        self.channel = channel
        self.method = method
        self.options = options
        self.policy = policy
        state = Mutex(State(stream: Stream(limit: channel.state.configuration.maxReplayBytes)))
    }

    /// Returns when the first attempt has a stream.
    static func open(
        _ path: String, on channel: RPCChannel, _ method: MethodConfig, _ options: CallOptions, _ policy: HedgingPolicy
    ) async throws -> HedgedCall {
        let call = HedgedCall(path, on: channel, method, options, policy)
        let task = Task { await call.hedge() }
        call.change { state in
            if state.stream.isHedging { state.hedging = task } else { task.cancel() }
        }
        do {
            try await call.wait { stream in
                if case .ended(let error?, nil) = stream.phase { throw error }
                return stream.hasAttempts || !stream.isHedging ? () : nil
            }
        } catch {
            call.cancel()
            throw error
        }
        return call
    }

    // ---- attempts ----

    private func hedge() async {
        do {
            let rules = HedgeState(
                policy: policy, maxAttempts: channel.state.configuration.maxAttempts,
                maxUnsent: channel.state.configuration.maxUnsentAttempts, deadline: options.deadline)
            _ = try await channel.hedge(path, options, rules) { number, options, supplied in
                try await self.attempt(number, options, on: supplied)
            } failed: { number in
                change { $0.stream.failed(number: number) }
            } isWanted: {
                // Not when it is committed to an attempt by what was sent, or has ended.
                state.withLock { $0.stream.isHedging }
            }
        } catch {
            fail(RPCError(of: error))
        }
    }

    /// One attempt, until its response head, which commits the call to it.
    private func attempt(_ number: Int, _ options: CallOptions, on supplied: SuppliedConnection) async throws {
        let attempt = try await channel.open(path, options, on: supplied)
        change { state in
            switch state.stream.opened(attempt, number: number) {
            case .late: attempt.cancel()
            case .replay(let messages, let isFinished):
                // Fails if the attempt has ended already, of which we hear.
                for message in messages { try? attempt.queue(message) }
                if isFinished { attempt.finishSending() }
            }
        }
        _ = try await attempt.state.initialMetadata()
        commit(to: number)
    }

    private func commit(to number: Int) {
        let (winner, losers) = change { state -> (StreamAttempt?, [StreamAttempt]) in
            guard state.stream.isHedging else { return (nil, []) }
            let losers = state.stream.answered(number: number)
            return (state.stream.winner, losers)
        }
        for loser in losers { loser.cancel() }
        if let winner { watch(winner) }
    }

    /// No attempt has answered; what still runs is not wanted.
    private func fail(_ error: RPCError) {
        for attempt in end(error) { attempt.cancel() }
    }

    /// After it was committed to.
    private func watch(_ winner: StreamAttempt) {
        winner.state.onEnd { error in
            if error == nil { self.channel.state.throttle?.succeeded() }
            self.end(error)
        }
    }

    // ---- sending ----

    func send(_ payload: Payload) async throws {
        try method.check(payload, path)
        let payload = try payload.deflated(as: options.compression)
        while true {
            let sending = try change { state throws(RPCError) in
                let sending = try state.stream.send(payload) { channel.state.reserveReplay($0) }
                // Here, so that an attempt which opens meanwhile is sent each message once, and in order.
                if case .toAll(let attempts) = sending { for attempt in attempts { try? attempt.queue(payload) } }
                return sending
            }
            switch sending {
            case .toAll: return
            case .toOne(let attempt): return try await attempt.send(payload)
            case .commit(let attempt, let losers):
                channel.state.count(.replayBytes, path)
                for loser in losers { loser.cancel() }
                state.withLock { $0.hedging.take() }?.cancel()
                watch(attempt)
                return try await attempt.send(payload)
            case .wait: try await wait { $0.hasAttempts || !$0.isHedging ? () : nil }
            }
        }
    }

    func finishSending() {
        change { state in for attempt in state.stream.finishSending() { attempt.finishSending() } }
    }

    // ---- receiving ----

    func next() async throws -> Payload? { try await winner().state.inbound.next() }

    func initialMetadata() async throws -> Metadata { try await winner().state.initialMetadata() }

    var trailers: Metadata {
        let (winner, error) = state.withLock { state -> (StreamAttempt?, RPCError?) in
            guard case .ended(let error, let winner) = state.stream.phase else { return (state.stream.winner, nil) }
            return (winner, error)
        }
        return winner?.state.trailers ?? error?.metadata ?? [:]
    }

    /// Who stops to wait cancels the call.
    private func winner() async throws -> StreamAttempt {
        if let winner = state.withLock({ $0.stream.winner }) { return winner }
        return try await withTaskCancellationHandler {
            try await wait { stream in
                if let winner = stream.winner { return winner }
                if case .ended(let error, _) = stream.phase {
                    throw error ?? RPCError(.internal, "a hedged call ended without an attempt")
                }
                return nil
            }
        } onCancel: {
            cancel()
        }
    }

    // ---- the call ends ----

    func cancel() { fail(RPCError(.cancelled, "call was cancelled")) }

    /// - Returns: the attempts that still ran.
    @discardableResult private func end(_ error: RPCError?) -> [StreamAttempt] {
        let (rest, task) = change { state -> ([StreamAttempt], Task<Void, Never>?) in
            if case .ended = state.stream.phase { return ([], nil) }
            return (state.stream.end(error), state.hedging.take())
        }
        task?.cancel()
        // The first end counts.
        if case .ended(let error, _) = state.withLock({ $0.stream.phase }) { ending.happened(error) }
        return rest
    }

    func onEnd(_ action: @escaping @Sendable (RPCError?) -> Void) { ending.tell(action) }

    // ---- holders wait ----

    /// Whoever waits looks again after a change.
    @discardableResult private func change<Value: Sendable, Failure>(
        _ body: (inout State) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let result = state.withLock { state in
            let kept = state.stream.keptBytes
            let result = Result { () throws(Failure) in try body(&state) }
            let freed = kept - state.stream.keptBytes
            if freed > 0 { channel.state.releaseReplay(freed) }
            state.version += 1
            return result
        }
        waiters.resume(with: .success(()))
        return try result.get()
    }

    /// Waits until `read` gives a value.
    /// - Throws: what `read` throws; CANCELLED when the task is cancelled.
    private func wait<Value: Sendable>(_ read: (Stream) throws -> Value?) async throws -> Value {
        while true {
            let (value, version) = try state.withLock { state in (try read(state.stream), state.version) }
            if let value { return value }
            try await waiters.wait("call was cancelled") {
                state.withLock { $0.version != version } ? .success(()) : nil
            }
        }
    }
}
