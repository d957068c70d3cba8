import RPC

extension TLSMismatch? {
    /// The advice, as the end of a message.
    var suffix: String { map { "; \($0.advice)" } ?? "" }
}

extension TLSMismatch {
    /// What to do about it on the command line of whoever calls.
    fileprivate var advice: String {
        switch self {
        case .peerHasTLS: "call it with --tls, or with --tls-ca FILE, the authority of its certificate"
        case .peerHasNone: "call it without --tls and --tls-…, or with --no-tls where the configuration has them"
        }
    }
}
