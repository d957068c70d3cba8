/// What is sent on a streaming call goes to one attempt at a time, and from the beginning to the next one, until one is
/// committed (gRPC proposal A6). Whether there is a next one is not decided here.
///
///     running ──response head, or too much sent──▶ running, committed ──▶ ended
///      ▲   └──attempt failed──▶ recovering ──nothing more to try──────────▶ ended
///      └──── new attempt, replayed ──┘
struct RetriedStream<Attempt> {
    enum Phase {
        case running
        case recovering
        case ended(RPCError?)
    }

    enum Sending {
        /// If the attempt `generation` fails, what is kept is sent to the next one.
        case forward(Attempt, generation: Int, isKept: Bool)
        /// The same; the call has just been committed to it, since no more can be kept.
        case commit(Attempt, generation: Int)
        /// Until there is an attempt.
        case kept
        /// It cannot be kept. Ask again when what `generation` failed with was dealt with.
        case wait(generation: Int)
    }

    /// What the end of an attempt is to the call.
    enum AttemptEnd {
        /// It was not the one that counts.
        case late
        case ended(RPCError?)
        /// There may be another one, with which the call goes on, or `end`.
        case failed(RPCError)
    }

    struct Replay {
        var generation: Int
        var messages: [Payload]
        var isFinished: Bool
    }

    /// What was sent to an attempt that has failed.
    enum Settled {
        case replayed
        case ended(RPCError?)
    }

    private(set) var phase = Phase.running
    /// The last one.
    private(set) var attempt: Attempt
    /// Attempts that had a stream before it.
    private(set) var generation = 0
    private(set) var hasFinishedSending = false
    /// nil: committed.
    private var replay: ReplayBuffer?

    /// - Parameters:
    ///   - attempt: the first, which is open.
    ///   - limit: bytes that are kept.
    init(_ attempt: Attempt, limit: Int) {
        self.attempt = attempt
        replay = ReplayBuffer(limit: limit)
    }

    var keptBytes: Int { replay?.bytes ?? 0 }

    /// - Parameter reserve: for so many bytes; false: the channel keeps too much already.
    mutating func send(_ payload: Payload, reserve: (Int) -> Bool) throws(RPCError) -> Sending {
        switch phase {
        case .ended(let error): throw error ?? RPCError(.cancelled, "peer has ended the call")
        case _ where hasFinishedSending: throw OutboundGate.finished
        case .recovering: return keep(payload, reserve) ? .kept : .wait(generation: generation)
        case .running:
            guard replay != nil else { return .forward(attempt, generation: generation, isKept: false) }
            if keep(payload, reserve) { return .forward(attempt, generation: generation, isKept: true) }
            replay = nil
            return .commit(attempt, generation: generation)
        }
    }

    private mutating func keep(_ payload: Payload, _ reserve: (Int) -> Bool) -> Bool {
        let cost = ReplayBuffer.cost(of: payload)
        guard let limit = replay?.limit, keptBytes + cost <= limit, reserve(cost) else { return false }
        return replay?.keep(payload) == true
    }

    /// - Returns: whom to tell.
    mutating func finishSending() -> Attempt? {
        hasFinishedSending = true
        if case .running = phase { return attempt }
        return nil
    }

    /// The response head of attempt `generation` came: there is no other one after it.
    mutating func answered(_ generation: Int) {
        if generation == self.generation { replay = nil }
    }

    /// - Parameter error: nil: OK.
    mutating func ended(_ generation: Int, _ error: RPCError?) -> AttemptEnd {
        guard case .running = phase, generation == self.generation else { return .late }
        guard let error, !error.isCommitted, replay != nil else {
            end(error)
            return .ended(error)
        }
        phase = .recovering
        return .failed(error)
    }

    /// The next attempt has a stream. - Returns: what to send to it; nil: it is not needed any more.
    mutating func begin(_ attempt: Attempt) -> Replay? {
        guard case .recovering = phase else { return nil }
        phase = .running
        self.attempt = attempt
        generation += 1
        return Replay(generation: generation, messages: replay?.messages ?? [], isFinished: hasFinishedSending)
    }

    /// The first end counts.
    mutating func end(_ error: RPCError?) {
        if case .ended = phase { return }
        replay = nil
        phase = .ended(error)
    }

    /// nil: what attempt `generation` failed with was not dealt with yet.
    func settled(after generation: Int) -> Settled? {
        // The next attempt may have ended too by now.
        if self.generation > generation { return .replayed }
        if case .ended(let error) = phase { return .ended(error) }
        return nil
    }
}

extension RetriedStream: Sendable where Attempt: Sendable {}
extension RetriedStream.Phase: Sendable where Attempt: Sendable {}
extension RetriedStream.Sending: Sendable where Attempt: Sendable {}
extension RetriedStream.AttemptEnd: Sendable where Attempt: Sendable {}
extension RetriedStream.Replay: Sendable where Attempt: Sendable {}
extension RetriedStream.Settled: Sendable where Attempt: Sendable {}
