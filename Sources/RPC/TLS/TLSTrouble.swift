import NIOSSL

/// What went wrong with TLS, as a person would say it.
enum TLSTrouble {
    static func text(_ error: any Error) -> String {
        switch error {
        case NIOSSLError.uncleanShutdown: "closed by peer"
        case NIOSSLError.handshakeFailed(let cause): "TLS handshake failed: \(text(cause))"
        case NIOSSLError.shutdownFailed(let cause): "TLS: \(text(cause))"
        case NIOSSLError.unableToValidateCertificate: "TLS: the peer's certificate is for another name"
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            "TLS: the peer's certificate is for another name"
        case NIOSSLError.noCertificateToValidate: "TLS: the peer has shown no certificate"
        case NIOSSLError.cannotFindPeerIP: "TLS: a server name is needed to verify the peer's certificate"
        case NIOSSLError.failedToLoadPrivateKey: "the private key cannot be loaded"
        case NIOSSLError.failedToLoadCertificate: "the certificate cannot be loaded"
        case let error as BoringSSLError: "TLS: \(text(error))"
        case let error as NIOSSLError: "TLS: \(error)"
        default: "\(error)"
        }
    }

    private static func text(_ error: BoringSSLError) -> String {
        switch error {
        case .sslError(let stack), .unknownError(let stack), .invalidSNIName(let stack), .failedToSetALPN(let stack):
            let reasons = stack.map { reason("\($0)") }
            return reasons.isEmpty ? "\(error)" : reasons.joined(separator: ", ")
        case .zeroReturn: return "closed by peer"
        default: return "\(error)"
        }
    }

    /// BoringSSL writes `error:NUMBER:LIBRARY:FUNCTION:REASON_IN_CAPITALS at FILE:LINE`; the reason is for people.
    private static func reason(_ text: String) -> String {
        let whole = text.split(separator: " at ").first.map(String.init) ?? text
        let last = whole.split(separator: ":").last.map(String.init) ?? whole
        return last.lowercased().replacing("_", with: " ").trimmingPrefix(while: \.isWhitespace).description
    }
}
