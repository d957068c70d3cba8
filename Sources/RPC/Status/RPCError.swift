/// How a call failed: a code, a message for the peer, and a cause that stays here, for the log.
public struct RPCError: Error, Sendable, CustomStringConvertible {
    public var code: StatusCode
    public var message: String
    public var metadata: Metadata
    public var cause: (any Error)?
    /// The call surely never reached a handler (not sent, refused stream, GOAWAY below its id, could not connect).
    public var neverStarted: Bool
    /// The connection broke (reset, closed, timed out) while the call ran.
    public var lostConnection: Bool
    /// The limit that the peer went beyond, to be counted.
    public internal(set) var limit: CallLimit?
    /// Attempts of its call beyond the first.
    public internal(set) var retries = 0
    /// An endpoint was lost while it ran this call, and may have died of it (`FailoverPolicy.isolatesSuspects`).
    public internal(set) var isSuspect = false
    /// Of the attempt that it is of, for the log; nil: of none.
    public internal(set) var endpoint: String?
    /// What the call was about, for the log: its server says it, and its peer is not told.
    public var subject: [String: String] = [:]
    /// `neverStarted`, but it was sent: the peer says that it did not look at it.
    var wasRefused = false
    /// It is of a call that this process made, or of its files: what it says of servers, addresses, trailers and paths is
    /// not for the peers of this process.
    var isWithheld = false
    /// It came after a response head.
    var isCommitted = false

    public init(
        _ code: StatusCode, _ message: String, metadata: Metadata = Metadata(), cause: (any Error)? = nil,
        neverStarted: Bool = false, lostConnection: Bool = false, limit: CallLimit? = nil
    ) {
        self.code = code
        self.message = message
        self.metadata = metadata
        self.cause = cause
        self.neverStarted = neverStarted
        self.lostConnection = lostConnection
        self.limit = limit
    }

    /// The same, of which a peer gets the code alone.
    package var withheld: RPCError {
        var error = self
        error.isWithheld = true
        return error
    }

    /// For example `UNAVAILABLE: connection to 10.0.0.7:50051 was lost: connection reset by peer`. A cause that the message
    /// does not say follows in brackets.
    public var description: String {
        let known = message.isEmpty ? "\(code)" : "\(code): \(message)"
        let reason = cause.map { ($0 as? RPCError)?.description ?? SystemError.text($0) }
        guard let reason, !message.contains(reason) else { return known }
        return "\(known) (\(reason))"
    }
}
