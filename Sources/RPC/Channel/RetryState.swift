import NIOCore

/// Decides what follows a failed attempt of a call whose attempts are made one after the other (gRPC proposal A6),
/// perhaps with a hedge beside them.
///
///     attempt ──answer──▶ done
///        │  ▲
///        │  └── at once (transparent, elsewhere) or after a wait (backoff, pushback)
///        └── failed: fatal, committed, pushed back, throttled, out of attempts or of time ──▶ fail
struct RetryState {
    enum Decision: Equatable {
        case retry(after: Duration)
        /// The other attempt of the call may still be answered.
        case leave
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
        /// Another attempt of the call still runs.
        var runsElsewhere = false
    }

    /// What a failure is to a policy.
    private enum Kind {
        case fatal
        /// "I am full".
        case refusal
        /// "I cannot".
        case fault
        case passing
    }

    /// nil: transparent retries only.
    let policy: RetryPolicy?
    /// No more attempts than this, whatever the policy says.
    let maxAttempts: Int
    let deadline: Deadline?
    private var attempts = 1
    private var transparent: TransparentRetries
    /// Since the last pushback.
    private var backoffs = 0
    /// Connections that broke while the call ran there.
    private var lost: Int
    /// An attempt that failed beside another one forbids more.
    private var isBarred = false
    /// What the call ends with if no other endpoint can be asked.
    private var standing: RPCError?
    /// Why the last decision was to fail, if it was a limit of the channel.
    private(set) var limit: CallLimit?

    /// - Parameter isSuspect: a connection has broken while this call ran there before.
    init(
        policy: RetryPolicy?, maxAttempts: Int,
        maxUnsent: Int = RPCChannelConfiguration.defaultMaxUnsentAttempts, deadline: Deadline?, isSuspect: Bool = false
    ) {
        transparent = TransparentRetries(maxUnsent: maxUnsent)
        self.policy = policy
        self.maxAttempts = min(policy?.maxAttempts ?? 1, maxAttempts)
        self.deadline = deadline
        lost = isSuspect ? 1 : 0
    }

    /// Attempts that a server may have seen, before the one to come.
    var previousAttempts: Int { attempts - 1 }

    /// All attempts after the first, also those that no server saw.
    var retries: Int { previousAttempts + transparent.count }

    /// One more attempt is allowed after this one.
    var hasNext: Bool { attempts < maxAttempts }

    var isSuspect: Bool { lost > 0 && policy?.failover?.isolatesSuspects == true }

    /// Where the next attempt may go.
    var demand: EndpointDemand { EndpointDemand(elsewhereOnly: standing != nil, isSuspect: isSuspect) }

    /// A second attempt has begun beside the one that runs.
    mutating func hedged() { attempts += 1 }

    mutating func failed(
        _ failure: Failure, throttle: RetryThrottle?, now: NIODeadline, using random: inout some RandomNumberGenerator
    ) -> Decision {
        if let deadline, deadline.instant <= now { return .fail }
        if failure.error.lostConnection { lost += 1 }
        if isPoison { return .fail }
        if failure.runsElsewhere { return failedBeside(failure, throttle) }
        if failure.hadConnection, transparent.takes(failure.error) { return .retry(after: .zero) }
        if transparent.isUsedUp { limit = .unsentAttempts }
        guard let policy else { return .fail }
        // A source of several endpoints has waited for all of them.
        if policy.failover != nil, !failure.hadConnection { return .fail }
        standing = nil
        if failure.error.lostConnection, policy.failover != nil, lost == 1, attempts < max(maxAttempts, 2) {
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

    /// What the call ends with after `fail`.
    /// - Parameter error: of the attempt that failed last.
    func ending(_ error: RPCError) -> RPCError {
        if isPoison {
            return RPCError(
                .internal, "two endpoints were lost while they ran this call; it is not sent to a third", cause: error)
        }
        return error.code == .cancelled ? error : standing ?? error
    }

    /// Two endpoints may have died of it.
    private var isPoison: Bool { lost > 1 && policy?.failover?.isolatesSuspects == true }

    /// Whatever is worth a retry is made good by the attempt that runs.
    private mutating func failedBeside(_ failure: Failure, _ throttle: RetryThrottle?) -> Decision {
        if failure.error.lostConnection || failure.error.neverStarted { return .leave }
        let kind = kind(of: failure)
        let pushback = RetryPushback(failure.error.metadata)
        charge(kind, pushback, throttle)
        if pushback == .never { isBarred = true }
        return kind == .fatal ? .fail : .leave
    }

    private func kind(of failure: Failure) -> Kind {
        guard let policy else { return .fatal }
        let error = failure.error
        // A unary call that hangs has shown its caller nothing, whatever came.
        if failure.hasMoreTime, error.code == .deadlineExceeded { return .passing }
        // A limit of ours that an answer went beyond says nothing of its endpoint.
        let isOwnLimit = error.limit.map { !$0.blamesServer && !error.neverStarted } ?? false
        if !isOwnLimit, policy.failover?.faults.contains(error.code) == true { return .fault }
        if error.isCommitted { return .fatal }
        if !isOwnLimit, policy.failover?.refusals.contains(error.code) == true { return .refusal }
        return policy.statusCodes.contains(error.code) ? .passing : .fatal
    }

    private func charge(_ kind: Kind, _ pushback: RetryPushback?, _ throttle: RetryThrottle?) {
        switch kind {
        case .refusal: throttle?.refused()
        case .fault, .passing: throttle?.failed()
        case .fatal: if pushback == .never { throttle?.failed() }
        }
    }

    /// - Returns: the failure is worth a retry, one is left, and there is a budget for it.
    private mutating func spend(
        on failure: Failure, _ policy: RetryPolicy, _ pushback: RetryPushback?, _ throttle: RetryThrottle?
    ) -> Bool {
        let kind = kind(of: failure)
        // After a response head it is not the budget's affair either.
        if kind == .fatal, failure.error.isCommitted { return false }
        charge(kind, pushback, throttle)
        let isForOthers = kind == .refusal || kind == .fault
        guard kind != .fatal, pushback != .never, !isBarred, attempts < maxAttempts, !isForOthers || failure.hasOther
        else {
            return false
        }
        guard throttle?.allowsRetry ?? true else {
            limit = .retryBudget
            return false
        }
        if isForOthers { standing = failure.error }
        return true
    }

    private mutating func wait(
        _ pushback: RetryPushback?, _ failure: Failure, _ policy: RetryPolicy,
        using random: inout some RandomNumberGenerator
    ) -> Duration {
        // A full endpoint speaks for itself alone.
        let isElsewhere = policy.failover?.refusals.contains(failure.error.code) == true && failure.hasOther
        if case .after(let wait) = pushback, !isElsewhere {
            backoffs = 0
            return wait
        }
        if policy.failover != nil, failure.hasOther { return .zero }
        backoffs += 1
        return policy.backoff.wait(after: backoffs, using: &random)
    }
}
