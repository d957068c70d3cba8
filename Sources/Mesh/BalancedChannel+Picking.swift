public import NIOCore
import RPC
import Synchronization

/// Which endpoint a call gets, and what comes of it.
extension BalancedChannel {
    func tryPick(_ call: PickLine.Call) -> PickLine.Picked? {
        let now = now
        return state.withLock { tryPick(call, now: now, &$0) }
    }

    private func tryPick(_ call: PickLine.Call, now: UInt64, _ state: inout State) -> PickLine.Picked? {
        let demand = call.attempt.demand
        while let name = state.balancer.pick(
            excluding: call.attempt.tried, demand, isStream: call.isStream,
            sparing: call.isOfOutage && !demand.isSuspect, of: call.attempt.options.client.counted, now: now,
            using: &state.chance)
        {
            if let connection = state.subchannels[name]?.usableConnection {
                return (name, connection, state.balancer.generation(of: name))
            }
            // Told to go away since its last health report: it will connect again by itself.
            state.balancer.unpick(
                name, isStream: call.isStream, isSuspect: demand.isSuspect, of: call.attempt.options.client.counted,
                now: now)
            state.balancer.setReady(name, false, now: now)
            state.noteReadiness(now: now)
        }
        return nil
    }

    /// A ready endpoint with room; waits for one within the deadline and, unless the call waits for ready, its
    /// `readyTimeout`.
    /// A suspect waits its turn until the deadline.
    /// - Parameter grace: in an outage it waits no longer than this, counted from its beginning.
    func pick(_ attempt: NextAttempt, isStream: Bool, grace: Duration? = nil) async throws -> PickLine.Picked {
        var call = PickLine.Call(attempt: attempt, isStream: isStream, grace: grace)
        if let picked = tryPick(call) { return picked }
        if attempt.demand.elsewhereOnly {
            throw RPCError(.unavailable, "no other endpoint of \(target) has room", neverStarted: true)
        }
        // Before its patience is taken: of an outage that begins after this it is told by `noteOutage`.
        call.isOfOutage = state.withLock { !$0.balancer.anyReady }
        let patience = patience(of: attempt, grace)
        if grace != nil, let patience, patience.deadline.hasPassed { throw patience.error() }
        return try await awaiting { [call] in
            try await line.wait(call, until: patience, on: group.any()) {
                if let drained { line.fail(drained) } else { serveLine() }
                // Or since it was counted as one that is not.
                if grace != nil, !call.isOfOutage { noteOutage() }
            }
        }
    }

    /// To be called when there may be no endpoint any more: calls that waited for room, and not for one that is gone,
    /// leave the line when their grace is over.
    func noteOutage() {
        guard state.withLock({ $0.outage.since != nil }) else { return }
        for grace in Set(line.graces.map(\.grace)) { awaitEnd(of: grace) }
    }

    /// One timer for all calls of one grace, however many wait and however often endpoints come and go.
    private func awaitEnd(of grace: Duration) {
        let end = state.withLock { state -> NIODeadline? in
            guard let end = state.outage.end(of: grace), state.awaitedGraces.insert(grace).inserted else { return nil }
            return end
        }
        guard let end else { return }
        group.any().scheduleTask(deadline: end) { [self] in
            let isOver = state.withLock { state -> Bool in
                state.awaitedGraces.remove(grace)
                return state.outage.end(of: grace).map { $0 <= .now() } ?? false
            }
            // There was an endpoint meanwhile, and this may be another outage.
            guard isOver else { return noteOutage() }
            for waiting in line.graces where waiting.grace <= grace {
                line.fail(
                    waiting.ticket,
                    RPCError(.unavailable, "no endpoint of \(target) is ready (\(troubles()))", neverStarted: true))
            }
        }
    }

    /// While `body` runs, a call waits for an endpoint.
    func awaiting<Result>(_ body: () async throws -> Result) async throws -> Result {
        state.withLock { state in
            state.waiting += 1
            state.lastAwaited = now
        }
        pausing.resume(with: .success(()))
        defer {
            state.withLock { state in
                state.waiting -= 1
                state.lastAwaited = now
            }
        }
        return try await body()
    }

    var drained: RPCError? {
        do throws(RPCError) {
            try calls.checkOpen()
            return nil
        } catch {
            return error
        }
    }

    func serveLine() { line.serve { tryPick($0) } }

    /// After how long a call of `path` is worth a second attempt; nil: there are fewer endpoints, or nobody can tell. While
    /// that time is not known yet, a call looks as often as endpoints are probed whether its own has fallen silent.
    func hedgeDelay(of path: String, among count: Int) -> Duration? {
        state.withLock { state in
            guard state.balancer.readyCount >= count, state.hedges.rules.share > 0 else { return nil }
            if let usual = state.hedges.delay(of: path) { return .nanoseconds(Int64(usual)) }
            return configuration.probe == nil ? nil : configuration.probeInterval
        }
    }

    func pickHedge(_ attempt: NextAttempt) -> PickLine.Picked? {
        let now = now
        let call = PickLine.Call(attempt: attempt, isStream: false)
        return state.withLock { state in
            let isWorthIt =
                state.hedges.delay(of: attempt.path) != nil || attempt.tried.contains { state.balancer.isSilent($0) }
            guard isWorthIt, state.hedges.mayHedge, let picked = tryPick(call, now: now, &state) else { return nil }
            state.hedges.hedged()
            return picked
        }
    }

    private func patience(of attempt: NextAttempt, _ grace: Duration?) -> PickLine.Patience? {
        let options = attempt.options
        let start = NIODeadline.now()
        var limits = [options.deadline]
        let isPatient = options.waitForReady == true || attempt.demand.isSuspect && options.deadline != nil
        if !isPatient { limits.append(.after(options.readyTimeout ?? configuration.readyTimeout)) }
        if let grace, let end = state.withLock({ $0.outage.end(of: grace) }) { limits.append(Deadline(instant: end)) }
        guard let deadline = limits.compactMap({ $0 }).min() else { return nil }
        let isTimeout = deadline == options.deadline && (options.waitForReady == true || !attempt.demand.isSuspect)
        let code: StatusCode = isTimeout ? .deadlineExceeded : .unavailable
        return PickLine.Patience(deadline: deadline) { [self] in
            let waited = Double((NIODeadline.now() - start).nanoseconds / 1_000_000) / 1000
            if state.withLock({ $0.balancer.anyReady }) {
                if attempt.demand.isSuspect {
                    return RPCError(
                        code,
                        "its connection broke, and other such calls ran on each endpoint of \(target) for \(waited) s",
                        neverStarted: true)
                }
                return RPCError(
                    code == .unavailable ? .resourceExhausted : code,
                    "every endpoint of \(target) still runs \(configuration.balancing.maxInFlight) calls, or all that it takes, after \(waited) s",
                    neverStarted: true)
            }
            return RPCError(
                code, "no endpoint of \(target) is ready after \(waited) s (\(troubles()))", neverStarted: true)
        }
    }

    /// When an endpoint was ready again after there was none; nil: there is none now.
    public var lastRecovery: NIODeadline? {
        state.withLock { $0.outage.lastEnd }.map(NIODeadline.uptimeNanoseconds)
    }

    func finished(
        _ supplied: SuppliedConnection, latency: UInt64, _ outcome: Balancer<String>.Outcome, isStream: Bool,
        now: UInt64, error: RPCError? = nil
    ) {
        let measures = configuration.isLastHop && !isStream
        let (someWait, news) = state.withLock { state -> (Bool, (Subchannel, EndpointNews.Change)?) in
            var outcome = outcome
            if measures {
                switch outcome {
                case .answered: state.hedges.answered(supplied.path, after: latency)
                case .abandoned where state.hedges.isOverdue(supplied.path, after: latency):
                    state.hedges.gaveUp(supplied.path, after: latency)
                    outcome = .overdue
                default: break
                }
            }
            outcome = state.balancer.finished(
                supplied.name, latency: latency, outcome, isStream: isStream, isSuspect: supplied.isSuspect,
                of: supplied.client.counted, generation: supplied.generation, now: now)
            return (state.waiting > 0, state.news(of: supplied.name, outcome, now: now))
        }
        if let (subchannel, change) = news {
            if change == .ejected { ejections.count(error?.code) }
            subchannel.tell(change, change == .ejected ? error?.description : nil)
        }
        if someWait { serveLine() }
    }

    public func hasOther(than endpoint: String, excluding tried: Set<String>) -> Bool {
        state.withLock { $0.balancer.anyReady(besides: endpoint, tried) }
    }

    func connection(to name: String) -> RPCConnection? {
        state.withLock { $0.subchannels[name]?.usableConnection }
    }
}

extension CallOrigin {
    /// Its number; nil: the call is nobody's.
    fileprivate var counted: UInt64? { number == 0 ? nil : number }
}
