import HTTP2

/// One end of a connection speaks TLS, and the other does not.
package enum TLSMismatch: Sendable, Equatable {
    /// It was called without.
    case peerHasTLS
    /// It was called over TLS.
    case peerHasNone
}

extension RPCError {
    /// Why there is no connection, as far as can be seen; nil: that is not it.
    package var tlsMismatch: TLSMismatch? {
        switch cause {
        case let error as RPCError: error.tlsMismatch
        case let error as HTTP2Error where error.isTLSMismatch:
            error.limit == .tlsHandshake ? .peerHasNone : .peerHasTLS
        default: nil
        }
    }
}
