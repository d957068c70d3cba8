import NIOCore

/// Decides when the attempts of a hedged call begin, and when a failed one ends it (gRPC proposal A6, "Hedging
/// Policy"). The first answer, of a stream its first head, ends the hedging; that needs no
/// decision.
struct HedgeState: SideBySide {
    let policy: HedgingPolicy
    let maxAttempts: Int
    let deadline: Deadline?
    private(set) var attempts = 0
    private var transparent: TransparentRetries
    private var running = 0
    private var next: NIODeadline?
    /// A server wants no more attempts, or the budget is used up.
    private var isStopped = false
    private var limit: CallLimit?

    init(
        policy: HedgingPolicy, maxAttempts: Int,
        maxUnsent: Int = RPCChannelConfiguration.defaultMaxUnsentAttempts, deadline: Deadline?
    ) {
        transparent = TransparentRetries(maxUnsent: maxUnsent)
        self.policy = policy
        self.maxAttempts = min(policy.maxAttempts, maxAttempts)
        self.deadline = deadline
    }

    var retries: Int { max(0, attempts - 1) + transparent.count }
    var demand: EndpointDemand { EndpointDemand() }
    var isSuspect: Bool { false }
    var givesUp: RetryPolicy? { nil }
    func ending(_ error: RPCError) -> RPCError { error }

    mutating func began(now: NIODeadline) -> NIODeadline? {
        running += 1
        attempts += 1
        next = canGoOn ? Deadline.after(policy.delay, from: now).instant : nil
        return next
    }

    mutating func due(throttle: RetryThrottle?, now: NIODeadline) -> SideBySideDecision {
        guard let next, next <= now else { return .wait(until: next) }
        self.next = nil
        guard !hasEnded(now) else { return stop() }
        guard throttle?.allowsRetry ?? true else {
            limit = .retryBudget
            return stop()
        }
        return .start
    }

    mutating func cannotHedge(now: NIODeadline) -> NIODeadline? { nil }

    mutating func failed(
        _ failure: RetryState.Failure, throttle: RetryThrottle?, now: NIODeadline,
        using random: inout some RandomNumberGenerator
    ) -> SideBySideDecision {
        running -= 1
        guard !hasEnded(now) else { return .fail }
        let error = failure.error
        if failure.hadConnection, transparent.takes(error) {
            attempts -= 1
            return .start
        }
        if transparent.isUsedUp { limit = .unsentAttempts }
        let pushback = RetryPushback(error.metadata)
        // Whose answer has begun is committed (A6).
        let isFatal = error.isCommitted || !policy.nonFatalStatusCodes.contains(error.code)
        if !isFatal || pushback == .never { throttle?.failed() }
        guard !isFatal else { return .fail }
        switch pushback {
        case .never:
            isStopped = true
            next = nil
        case .after(let wait): next = canGoOn ? Deadline.after(wait, from: now).instant : nil
        case nil: next = canGoOn ? now : nil
        }
        if let next, let deadline, deadline.instant <= next { self.next = nil }
        return next == now ? due(throttle: throttle, now: now) : pause()
    }

    mutating func takeLimit() -> CallLimit? { limit.take() }

    mutating func stop() -> SideBySideDecision {
        isStopped = true
        next = nil
        return pause()
    }

    private var canGoOn: Bool { attempts < maxAttempts && !isStopped }

    private func hasEnded(_ now: NIODeadline) -> Bool { deadline.map { $0.instant <= now } ?? false }

    private func pause() -> SideBySideDecision { running == 0 && next == nil ? .fail : .wait(until: next) }
}
