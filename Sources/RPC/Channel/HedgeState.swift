import NIOCore

/// Decides when the attempts of a hedged call begin, and when a failed one ends it (gRPC proposal A6, "Hedging
/// Policy"). The first answer, of a stream its first head, ends the hedging; that needs no
/// decision.
struct HedgeState {
    enum Decision: Equatable {
        /// Begin one more attempt now.
        case start
        /// Ask `due` then; nil: wait for an attempt to end.
        case wait(until: NIODeadline?)
        /// The call ends with the error of the attempt that has just failed.
        case fail
    }

    let policy: HedgingPolicy
    let maxAttempts: Int
    let deadline: Deadline?
    /// Attempts that a server may have seen, or may yet.
    private(set) var attempts = 0
    private var transparent = TransparentRetries()
    private var running = 0
    private var next: NIODeadline?
    /// A server wants no more attempts, or the budget is used up.
    private var isStopped = false
    /// Why there are no more attempts, if it was a limit of the channel; to be counted once.
    private var limit: CallLimit?

    init(policy: HedgingPolicy, maxAttempts: Int, deadline: Deadline?) {
        self.policy = policy
        self.maxAttempts = min(policy.maxAttempts, maxAttempts)
        self.deadline = deadline
    }

    /// All attempts after the first, also those that no server saw.
    var retries: Int { max(0, attempts - 1) + transparent.count }

    /// An attempt begins, as `start` said. - Returns: when the next one is due.
    mutating func began(now: NIODeadline) -> NIODeadline? {
        running += 1
        attempts += 1
        next = canGoOn ? Deadline.after(policy.delay, from: now).instant : nil
        return next
    }

    /// The time that `wait` named has come.
    mutating func due(throttle: RetryThrottle?, now: NIODeadline) -> Decision {
        guard let next, next <= now else { return .wait(until: next) }
        self.next = nil
        guard !hasEnded(now) else { return stop() }
        guard throttle?.allowsRetry ?? true else {
            limit = .retryBudget
            return stop()
        }
        return .start
    }

    /// - Parameter hadConnection: there was a connection to fail on.
    mutating func failed(
        _ error: RPCError, hadConnection: Bool = true, throttle: RetryThrottle?, now: NIODeadline
    ) -> Decision {
        running -= 1
        guard !hasEnded(now) else { return .fail }
        if hadConnection, transparent.takes(error) {
            attempts -= 1
            return .start
        }
        if transparent.isUsedUp { limit = .unsentAttempts }
        let pushback = RetryPushback(error.metadata)
        let isFatal = !policy.nonFatalStatusCodes.contains(error.code)
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

    /// What `limit` says, the first time that it is asked.
    mutating func takeLimit() -> CallLimit? { limit.take() }

    /// No more attempts, whatever comes.
    mutating func stop() -> Decision {
        isStopped = true
        next = nil
        return pause()
    }

    private var canGoOn: Bool { attempts < maxAttempts && !isStopped }

    private func hasEnded(_ now: NIODeadline) -> Bool { deadline.map { $0.instant <= now } ?? false }

    private func pause() -> Decision { running == 0 && next == nil ? .fail : .wait(until: next) }
}
