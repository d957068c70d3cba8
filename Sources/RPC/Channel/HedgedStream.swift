/// What is sent on a hedged streaming call goes to all of its attempts, until it is committed to one of them (gRPC
/// proposal A6, "Hedging Policy").
///
///     hedging ──first response head, or too much sent──▶ committed ──status──▶ ended
///        └──fatal error, no attempt left, cancelled───────────────────────────▶
struct HedgedStream<Attempt> {
    enum Phase {
        case hedging
        case committed(Attempt)
        /// The attempt that it was committed to may still have responses.
        case ended(RPCError?, Attempt?)
    }

    enum Sending {
        /// To each of them at once; it is kept for those that are to come.
        case toAll([Attempt])
        /// To the one that the call is committed to, as fast as that takes it.
        case toOne(Attempt)
        /// The same; the call has just been committed to it, and the others are to be cancelled.
        case commit(Attempt, losers: [Attempt])
        /// There is no attempt now, and it cannot be kept. Ask again when there is one.
        case wait
    }

    enum Opening {
        /// It is sent what was sent so far.
        case replay([Payload], isFinished: Bool)
        /// It is not needed any more.
        case late
    }

    private(set) var phase = Phase.hedging
    private(set) var hasFinishedSending = false
    private var running: [(number: Int, attempt: Attempt)] = []
    private var replay: ReplayBuffer

    /// - Parameter limit: bytes that are kept.
    init(limit: Int) { replay = ReplayBuffer(limit: limit) }

    var isHedging: Bool { if case .hedging = phase { true } else { false } }
    var hasAttempts: Bool { !running.isEmpty }
    var keptBytes: Int { replay.bytes }

    /// The attempt to read from.
    var winner: Attempt? {
        switch phase {
        case .hedging: nil
        case .committed(let attempt): attempt
        case .ended(_, let attempt): attempt
        }
    }

    /// - Parameter reserve: for so many bytes; false: the channel keeps too much already.
    mutating func send(_ payload: Payload, reserve: (Int) -> Bool) throws(RPCError) -> Sending {
        switch phase {
        case .ended(let error, _): throw error ?? RPCError(.cancelled, "peer has ended the call")
        case _ where hasFinishedSending: throw OutboundGate.finished
        case .committed(let attempt): return .toOne(attempt)
        case .hedging:
            let cost = ReplayBuffer.cost(of: payload)
            if replay.bytes + cost <= replay.limit, reserve(cost) {
                _ = replay.keep(payload)
                return .toAll(running.map(\.attempt))
            }
            // The oldest has had most of the time to answer.
            guard let oldest = running.first else { return .wait }
            return .commit(oldest.attempt, losers: commit(to: oldest.number))
        }
    }

    /// - Returns: whom to tell.
    mutating func finishSending() -> [Attempt] {
        hasFinishedSending = true
        switch phase {
        case .hedging: return running.map(\.attempt)
        case .committed(let attempt): return [attempt]
        case .ended: return []
        }
    }

    /// An attempt has a stream.
    mutating func opened(_ attempt: Attempt, number: Int) -> Opening {
        guard case .hedging = phase else { return .late }
        running.append((number, attempt))
        return .replay(replay.messages, isFinished: hasFinishedSending)
    }

    /// An attempt that was open has failed without a response head.
    mutating func failed(number: Int) { running.removeAll { $0.number == number } }

    /// Its response head came. - Returns: who is to be cancelled.
    mutating func answered(number: Int) -> [Attempt] {
        guard case .hedging = phase else { return [] }
        return commit(to: number)
    }

    /// - Returns: what still runs, to be cancelled if the end is ours.
    mutating func end(_ error: RPCError?) -> [Attempt] {
        if case .ended = phase { return [] }
        let rest = winner.map { [$0] } ?? running.map(\.attempt)
        phase = .ended(error, winner)
        letGo()
        return rest
    }

    private mutating func commit(to number: Int) -> [Attempt] {
        guard let chosen = running.first(where: { $0.number == number }) else { return [] }
        let losers = running.filter { $0.number != number }.map(\.attempt)
        phase = .committed(chosen.attempt)
        letGo()
        return losers
    }

    private mutating func letGo() {
        running = []
        replay = ReplayBuffer(limit: replay.limit)
    }
}

extension HedgedStream: Sendable where Attempt: Sendable {}
extension HedgedStream.Phase: Sendable where Attempt: Sendable {}
extension HedgedStream.Sending: Sendable where Attempt: Sendable {}
