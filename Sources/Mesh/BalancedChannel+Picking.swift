import NIOCore
import RPC
import Synchronization

/// Which endpoint a call gets, and what comes of it.
extension BalancedChannel {
    private func tryPick(_ attempt: NextAttempt, isStream: Bool) -> (String, RPCConnection)? {
        let now = now
        return state.withLock { tryPick(attempt, isStream: isStream, now: now, &$0) }
    }

    private func tryPick(
        _ attempt: NextAttempt, isStream: Bool, now: UInt64, _ state: inout State
    ) -> (String, RPCConnection)? {
        let demand = attempt.demand
        var random = SystemRandomNumberGenerator()
        while let name = state.balancer.pick(
            excluding: attempt.tried, demand, isStream: isStream, now: now, using: &random)
        {
            if let connection = state.subchannels[name]?.usableConnection { return (name, connection) }
            // Told to go away since its last health report: it will connect again by itself.
            state.balancer.unpick(name, isStream: isStream, isSuspect: demand.isSuspect, now: now)
            state.balancer.setReady(name, false, now: now)
        }
        return nil
    }

    /// A ready endpoint with room; waits for one within the deadline and, unless the call waits for ready, `readyTimeout`.
    /// A suspect waits its turn until the deadline.
    func pick(_ attempt: NextAttempt, isStream: Bool) async throws -> (String, RPCConnection) {
        if let picked = tryPick(attempt, isStream: isStream) { return picked }
        if attempt.demand.elsewhereOnly {
            throw RPCError(.unavailable, "no other endpoint of \(target) has room", neverStarted: true)
        }
        let limit = limit(of: attempt)
        while true {
            try await waitForRoom(for: attempt, until: limit)
            if let picked = tryPick(attempt, isStream: isStream) { return picked }
        }
    }

    /// After how long a call of `path` is worth a second attempt; nil: it is not known yet, or there are fewer endpoints.
    func hedgeDelay(of path: String, among count: Int) -> Duration? {
        state.withLock { state in
            state.balancer.readyCount >= count ? state.hedges.delay(of: path).map { .nanoseconds(Int64($0)) } : nil
        }
    }

    func pickHedge(_ attempt: NextAttempt) -> (String, RPCConnection)? {
        let now = now
        return state.withLock { state in
            guard state.hedges.mayHedge, let picked = tryPick(attempt, isStream: false, now: now, &state) else {
                return nil
            }
            state.hedges.hedged()
            return picked
        }
    }

    private func limit(of attempt: NextAttempt) -> Waiters<Void>.Limit? {
        let options = attempt.options
        let start = NIODeadline.now()
        let isPatient = options.waitForReady == true || attempt.demand.isSuspect && options.deadline != nil
        let patience: Deadline? = isPatient ? nil : .after(configuration.readyTimeout)
        guard let deadline = [patience, options.deadline].compactMap({ $0 }).min() else { return nil }
        let code: StatusCode = deadline == options.deadline ? .deadlineExceeded : .unavailable
        return Waiters.Limit(deadline, on: group.any()) { [self] in
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
                    "every endpoint of \(target) still runs \(configuration.balancing.maxInFlight) calls after \(waited) s",
                    neverStarted: true)
            }
            return RPCError(
                code, "no endpoint of \(target) is ready after \(waited) s (\(troubles()))", neverStarted: true)
        }
    }

    /// - Parameter attempt: nil: any call.
    func waitForRoom(for attempt: NextAttempt? = nil, until limit: Waiters<Void>.Limit?) async throws {
        let demand = attempt?.demand ?? EndpointDemand()
        state.withLock { $0.lastAwaited = now }
        pausing.resume(with: .success(()))
        defer { state.withLock { $0.lastAwaited = now } }
        try await waitingCalls.with(for: "\(target)") {
            try await waiters.wait("call was cancelled while it waited for an endpoint of \(target)", until: limit) {
                calls.isDraining || state.withLock { $0.balancer.hasRoom(for: demand, now: now) } ? .success(()) : nil
            }
        }
        try calls.checkOpen()
    }

    func finished(
        _ supplied: SuppliedConnection, latency: UInt64, _ outcome: Balancer<String>.Outcome, isStream: Bool,
        now: UInt64, error: RPCError? = nil
    ) {
        let measures = configuration.isLastHop && !isStream
        let (madeRoom, news) = state.withLock { state -> (Bool, (Subchannel, EndpointNews.Change)?) in
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
            let madeRoom = state.balancer.finished(
                supplied.name, latency: latency, outcome, isStream: isStream, isSuspect: supplied.isSuspect, now: now)
            return (madeRoom, state.news(of: supplied.name, outcome, now: now))
        }
        if let (subchannel, change) = news {
            subchannel.tell(change, change == .ejected ? error?.description : nil)
        }
        if madeRoom { waiters.resume(with: .success(())) }
    }

    public func hasOther(than endpoint: String, excluding tried: Set<String>) -> Bool {
        state.withLock { $0.balancer.anyReady(besides: endpoint, tried) }
    }

    func connection(to name: String) -> RPCConnection? {
        state.withLock { $0.subchannels[name]?.usableConnection }
    }
}
