/// Which connection the next attempt of a call runs on. A channel owns the attempts; its source owns the connections.
///
/// Each connection that `next` returned is reported once to `finished`, when its attempt has ended.
public protocol ConnectionSource: Sendable {
    /// A connection that takes new calls; waits for one if there is none, unless the attempt is for untried endpoints
    /// only and none of them has room.
    /// - Throws: `RPCError` when it has waited long enough. That ends the call, unless its policy retries the code and
    ///   has no `failover`: a source of several endpoints has waited for each of them. With the limit `waitingCalls`
    ///   when too many calls wait already; the channel counts it.
    func next(_ attempt: NextAttempt) async throws -> SuppliedConnection

    /// After how long without an answer a second attempt of a call is worth its price. nil: never.
    func hedgeDelay(of path: String) -> Duration?

    /// A connection for a second attempt of a call beside one that still runs. nil: not now: the budget is used up, or
    /// no other endpoint has room.
    func hedge(_ attempt: NextAttempt) -> SuppliedConnection?

    /// An endpoint that is neither `endpoint` nor among `tried` takes calls now.
    func hasOther(than endpoint: String, excluding tried: Set<String>) -> Bool

    func finished(_ supplied: SuppliedConnection, _ outcome: AttemptOutcome)

    /// No more attempts will come. Running ones may finish, then the connections end.
    func drain()

    /// Ends the connections, with all that runs on them.
    func close()
}

extension ConnectionSource {
    public func hedgeDelay(of path: String) -> Duration? { nil }
    public func hedge(_ attempt: NextAttempt) -> SuppliedConnection? { nil }
}

public struct SuppliedConnection: Sendable {
    /// Of the endpoint, for people and for `tried`.
    public var name: String
    public var connection: RPCConnection
    /// Nanoseconds of a monotonic clock; for sources that measure.
    public var start: UInt64
    /// Of the attempt, which may be sooner than that of its call; nil: none. Set by the channel.
    public var deadline: Deadline?
    /// Of the call; for sources that measure.
    public var path: String
    public var isSuspect: Bool
    /// Whose call it is; for sources that share.
    public var client: CallOrigin
    /// Which one of the endpoints that had the name, one after the other; for sources whose endpoints come and go.
    public var generation: UInt64

    public init(
        name: String, connection: RPCConnection, start: UInt64 = 0, path: String = "", isSuspect: Bool = false,
        client: CallOrigin = CallOrigin(0), generation: UInt64 = 0
    ) {
        self.name = name
        self.connection = connection
        self.start = start
        self.path = path
        self.isSuspect = isSuspect
        self.client = client
        self.generation = generation
    }
}

public enum AttemptOutcome: Sendable {
    case answered
    /// A streaming call was answered, and then lasted as long as its ends wanted. With how it ended; nil: OK.
    case streamed(RPCError?)
    case failed(RPCError)
    /// Another attempt was faster, or the caller gave up.
    case abandoned
}
