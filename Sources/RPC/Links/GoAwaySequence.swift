import NIOCore

/// The graceful end of a server's connection (RFC 9113, section 6.8): the first GOAWAY lets streams come that are on
/// their way; once a PING has gone round there are none, and the last GOAWAY names the last stream that is served.
///
///     open ──begin──▶ announced ──PING answered, or too late──▶ final
struct GoAwaySequence {
    private enum State { case open, announced(NIODeadline), final }

    /// A peer that does not answer the PING.
    let patience: Duration
    private var state = State.open

    init(patience: Duration) { self.patience = patience }

    /// - Returns: the first GOAWAY and the PING are to be sent.
    mutating func begin(at now: NIODeadline) -> Bool {
        guard case .open = state else { return false }
        state = .announced(now)
        return true
    }

    /// - Returns: the last GOAWAY is to be sent.
    mutating func pingAnswered() -> Bool {
        guard case .announced = state else { return false }
        state = .final
        return true
    }

    /// - Returns: the last GOAWAY is to be sent.
    mutating func step(at now: NIODeadline) -> Bool {
        guard case .announced(let begin) = state, now - begin >= TimeAmount(patience) else { return false }
        state = .final
        return true
    }
}
