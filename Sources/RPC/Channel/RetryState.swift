import NIOCore

/// Decides what follows a failed attempt of a call that makes one attempt at a time (gRPC proposal A6).
///
///     attempt ──answer──▶ done
///        │  ▲
///        │  └── at once (transparent, elsewhere) or after a wait (backoff, pushback)
///        └── failed: fatal, committed, pushed back, throttled, out of attempts or of time ──▶ fail
struct RetryState {
    enum Decision: Equatable {
        case retry(after: Duration)
        case fail
    }

    struct Failure {
        var error: RPCError
        /// There was a connection to fail on.
        var hadConnection = true
        /// An endpoint that was not asked yet is ready.
        var hasOther = false
        /// The attempt's deadline, which has passed, was sooner than that of its call.
        var hasMoreTime = false
    }

    /// nil: transparent retries only.
    let policy: RetryPolicy?
    /// No more attempts than this, whatever the policy says.
    let maxAttempts: Int
    let deadline: Deadline?
    private var attempts = 1
    private var transparent = TransparentRetries()
    /// Since the last pushback.
    private var backoffs = 0
    private var wasLost = false
    /// Why the last decision was to fail, if it was a limit of the channel.
    private(set) var limit: CallLimit?

    init(policy: RetryPolicy?, maxAttempts: Int, deadline: Deadline?) {
        self.policy = policy
        self.maxAttempts = min(policy?.maxAttempts ?? 1, maxAttempts)
        self.deadline = deadline
    }

    /// Attempts that a server may have seen, before the one to come.
    var previousAttempts: Int { attempts - 1 }

    /// All attempts after the first, also those that no server saw.
    var retries: Int { previousAttempts + transparent.count }

    /// One more attempt is allowed after this one.
    var hasNext: Bool { attempts < maxAttempts }

    mutating func failed(
        _ failure: Failure, throttle: RetryThrottle?, now: NIODeadline, using random: inout some RandomNumberGenerator
    ) -> Decision {
        if let deadline, deadline.instant <= now { return .fail }
        if failure.hadConnection, transparent.takes(failure.error) { return .retry(after: .zero) }
        if transparent.isUsedUp { limit = .unsentAttempts }
        guard let policy else { return .fail }
        // A source of several endpoints has waited for all of them.
        if policy.failover != nil, !failure.hadConnection { return .fail }
        if failure.error.lostConnection, policy.failover != nil, !wasLost, attempts < max(maxAttempts, 2) {
            wasLost = true
            attempts += 1
            return .retry(after: .zero)
        }
        let pushback = RetryPushback(failure.error.metadata)
        guard spend(on: failure, policy, pushback, throttle) else { return .fail }
        let wait = wait(pushback, failure, policy, using: &random)
        if let deadline, deadline.instant <= Deadline.after(wait, from: now).instant { return .fail }
        attempts += 1
        return .retry(after: wait)
    }

    /// - Returns: the failure is worth a retry, one is left, and there is a budget for it.
    private mutating func spend(
        on failure: Failure, _ policy: RetryPolicy, _ pushback: RetryPushback?, _ throttle: RetryThrottle?
    ) -> Bool {
        let code = failure.error.code
        // A unary call that hangs has shown its caller nothing, whatever came.
        let ranOut = failure.hasMoreTime && code == .deadlineExceeded
        if failure.error.isCommitted, !ranOut { return false }
        // A limit of ours that an answer went beyond says nothing of its endpoint.
        let isOwnLimit = failure.error.limit != nil && !failure.error.neverStarted
        let isRefusal = !isOwnLimit && policy.failover?.refusals.contains(code) ?? false
        let isRetryable = isRefusal || ranOut || policy.statusCodes.contains(code)
        if isRefusal { throttle?.refused() } else if isRetryable || pushback == .never { throttle?.failed() }
        guard isRetryable, pushback != .never, attempts < maxAttempts, !isRefusal || failure.hasOther else {
            return false
        }
        guard throttle?.allowsRetry ?? true else {
            limit = .retryBudget
            return false
        }
        return true
    }

    private mutating func wait(
        _ pushback: RetryPushback?, _ failure: Failure, _ policy: RetryPolicy,
        using random: inout some RandomNumberGenerator
    ) -> Duration {
        if case .after(let wait) = pushback {
            backoffs = 0
            return wait
        }
        if policy.failover != nil, failure.hasOther { return .zero }
        backoffs += 1
        return policy.backoff.wait(after: backoffs, using: &random)
    }
}
