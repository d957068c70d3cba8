import NIOCore

/// When a channel to one address connects (gRPC, `doc/connectivity-semantics-and-api.md`, `doc/connection-backoff.md`).
///
///     idle ──a call comes──▶ connecting ──────▶ ready
///      ▲                 failed │   ▲ calls wait  │ lost before it was of use
///      │                        ▼   │             ▼
///      └── no call waits ── backing off, or pausing
///
/// While backing off, calls that do not wait for ready fail: the address was tried. While pausing they wait.
struct ReconnectState {
    enum Phase {
        case idle
        case connecting
        case ready
        case backingOff(RPCError)
        case pausing
        case closed
    }

    /// What a call does.
    enum Decision {
        case use
        /// Connect, and wait for it.
        case connect
        case wait
        case fail(RPCError)
    }

    let backoff: Backoff
    private(set) var phase = Phase.idle
    private var failures = 0

    init(_ backoff: Backoff) { self.backoff = backoff }

    mutating func callCame(waitsForReady: Bool) -> Decision {
        switch phase {
        case .idle:
            phase = .connecting
            return .connect
        case .connecting, .pausing: return .wait
        case .ready: return .use
        case .backingOff(let error): return waitsForReady ? .wait : .fail(error)
        case .closed: return .fail(RPCError(.unavailable, "the channel was closed", neverStarted: true))
        }
    }

    /// - Returns: false: nobody wants it any more.
    mutating func connected() -> Bool {
        guard case .connecting = phase else { return false }
        phase = .ready
        return true
    }

    /// - Returns: how long to wait before `backoffEnded`; nil: closed.
    mutating func failed(_ error: RPCError, using random: inout some RandomNumberGenerator) -> Duration? {
        if case .closed = phase { return nil }
        failures += 1
        phase = .backingOff(error)
        return backoff.wait(after: failures, using: &random)
    }

    /// - Returns: connect.
    mutating func backoffEnded(hasWaiters: Bool) -> Bool {
        switch phase {
        case .backingOff, .pausing: break
        case .idle, .connecting, .ready, .closed: return false
        }
        phase = hasWaiters ? .connecting : .idle
        return hasWaiters
    }

    /// The connection takes no new calls.
    /// - Parameter wasOfUse: a server answered on it: the address is good. One that only says goodbye is not asked
    ///   again and again.
    /// - Returns: how long to wait before `backoffEnded`; nil: not at all.
    mutating func lost(wasOfUse: Bool, using random: inout some RandomNumberGenerator) -> Duration? {
        guard case .ready = phase else { return nil }
        phase = wasOfUse ? .idle : .pausing
        guard !wasOfUse else {
            failures = 0
            return nil
        }
        failures += 1
        return backoff.wait(after: failures, using: &random)
    }

    mutating func close() { phase = .closed }
}
