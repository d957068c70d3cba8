import NIOCore

/// Attempts one after the other, as `RetryState` says, and beside one that is not answered after the usual time a second
/// one, elsewhere.
///
/// One hedge for each call: an endpoint that hangs is no reason to ask all others. None for a suspect, which may be what
/// makes endpoints hang. Where no other endpoint has room, or the budget is used up, it is asked for again after the
/// same time.
struct FailoverState: SideBySide {
    let delay: Duration
    private var rules: RetryState
    private var running = 0
    private var hasHedged = false
    private var hasStopped = false
    /// When the hedge is due, or the next attempt after one that has failed.
    private var next: NIODeadline?
    private var limit: CallLimit?

    init(
        _ policy: RetryPolicy, maxAttempts: Int,
        maxUnsent: Int = RPCChannelConfiguration.defaultMaxUnsentAttempts, deadline: Deadline?, hedgeDelay: Duration
    ) {
        delay = hedgeDelay
        rules = RetryState(policy: policy, maxAttempts: maxAttempts, maxUnsent: maxUnsent, deadline: deadline)
    }

    var attempts: Int { rules.previousAttempts + (running == 0 ? 0 : 1) }
    var retries: Int { rules.retries }
    var isSuspect: Bool { rules.isSuspect }
    var demand: EndpointDemand {
        running == 0 ? rules.demand : EndpointDemand(elsewhereOnly: true, isHedge: true)
    }
    var givesUp: RetryPolicy? { rules.hasNext ? rules.policy : nil }
    mutating func takeLimit() -> CallLimit? { limit.take() }

    mutating func began(now: NIODeadline) -> NIODeadline? {
        if running == 1 {
            hasHedged = true
            rules.hedged()
        }
        running += 1
        return hedge(after: now)
    }

    mutating func due(throttle: RetryThrottle?, now: NIODeadline) -> SideBySideDecision {
        guard let next, next <= now else { return .wait(until: next) }
        self.next = nil
        if running == 0 { return hasStopped ? .fail : .start }
        guard mayHedge else { return .wait(until: nil) }
        return throttle?.allowsRetry ?? true ? .hedge : .wait(until: hedge(after: now))
    }

    mutating func cannotHedge(now: NIODeadline) -> NIODeadline? { hedge(after: now) }

    mutating func failed(
        _ failure: RetryState.Failure, throttle: RetryThrottle?, now: NIODeadline,
        using random: inout some RandomNumberGenerator
    ) -> SideBySideDecision {
        running -= 1
        var failure = failure
        failure.runsElsewhere = running > 0
        next = nil
        switch rules.failed(failure, throttle: throttle, now: now, using: &random) {
        case .leave: return .wait(until: nil)
        case .retry where hasStopped: return .fail
        case .retry(let wait):
            guard wait > .zero else { return .start }
            next = Deadline.after(wait, from: now).instant
            return .wait(until: next)
        case .fail:
            limit = rules.limit
            return .fail
        }
    }

    mutating func stop() -> SideBySideDecision {
        hasStopped = true
        next = nil
        return running == 0 ? .fail : .wait(until: nil)
    }

    func ending(_ error: RPCError) -> RPCError { rules.ending(error) }

    private var mayHedge: Bool { running == 1 && !hasHedged && !hasStopped && rules.hasNext && !rules.isSuspect }

    /// - Returns: when; nil: there will be none.
    private mutating func hedge(after now: NIODeadline) -> NIODeadline? {
        let time = Deadline.after(delay, from: now).instant
        let isInTime = rules.deadline.map { time < $0.instant } ?? true
        next = mayHedge && isInTime ? time : nil
        return next
    }
}
