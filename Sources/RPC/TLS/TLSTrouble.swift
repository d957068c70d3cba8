import Foundation
import NIOSSL

/// What went wrong with TLS: a sentence for people, with the library's words behind it.
enum TLSTrouble {
    /// - Parameters:
    ///   - certificate: the peer's, where it came that far: it tells why it was not taken.
    ///   - now: seconds since 1970.
    static func text(
        _ error: any Error, certificate: NIOSSLCertificate? = nil, now: Int = Int(Date().timeIntervalSince1970)
    ) -> String {
        switch error {
        case NIOSSLError.uncleanShutdown: "closed by peer"
        case NIOSSLError.handshakeFailed(let cause):
            handshakeText(cause, certificate, now) ?? "TLS handshake failed: \(text(cause))"
        case NIOSSLError.shutdownFailed(let cause): "TLS: \(text(cause))"
        case NIOSSLError.unableToValidateCertificate: "TLS: the peer's certificate is for another name"
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            "TLS: the peer's certificate is for another name"
        case NIOSSLError.noCertificateToValidate: "TLS: the peer has shown no certificate"
        case NIOSSLError.cannotFindPeerIP: "TLS: a server name is needed to verify the peer's certificate"
        case NIOSSLError.failedToLoadPrivateKey: "the private key cannot be loaded"
        case NIOSSLError.failedToLoadCertificate: "the certificate cannot be loaded"
        // With TLS 1.3 a server refuses our certificate when the handshake has ended for us.
        case let error as BoringSSLError: handshakeText(error, certificate, now) ?? "TLS: \(text(error))"
        case let error as NIOSSLError: "TLS: \(error)"
        default: "\(error)"
        }
    }

    /// What came was no TLS.
    static func isPlainText(_ error: any Error) -> Bool { text(error).hasPrefix("TLS: \(noTLS)") }

    private static let noTLS = "the peer does not speak TLS"

    /// nil: there is no better text than the library's.
    private static func handshakeText(_ error: BoringSSLError, _ certificate: NIOSSLCertificate?, _ now: Int) -> String?
    {
        let words = text(error)
        let sentence =
            words == verifyFailed
            ? unverified(certificate.map { ($0.notValidBefore, $0.notValidAfter) }, now)
            : sentences.first { words.contains($0.words) }?.sentence
        return sentence.map { "TLS: \($0) (\(words))" }
    }

    private static let verifyFailed = "certificate verify failed"

    /// Why a peer's certificate is not taken.
    /// - Parameter validity: its first and last second; nil: it is not known.
    static func unverified(_ validity: (from: Int, to: Int)?, _ now: Int) -> String {
        if let validity, now > validity.to { return "the peer's certificate has expired" }
        if let validity, now < validity.from { return "the peer's certificate is not valid yet" }
        return "the peer's certificate is of an authority that is not trusted here"
    }

    /// By what the library says, which is also what a peer's alert is called; the first that fits.
    private static let sentences: [(words: String, sentence: String)] = [
        ("alert certificate required", "the peer wants a certificate of ours, and got none"),
        ("alert unknown ca", "the peer does not trust the authority of our certificate"),
        ("alert certificate expired", "the peer says that our certificate has expired"),
        ("alert certificate revoked", "the peer says that our certificate was revoked"),
        ("alert bad certificate", "the peer does not take our certificate"),
        ("alert certificate unknown", "the peer does not take our certificate"),
        ("alert unsupported certificate", "the peer does not take our certificate"),
        ("peer did not return a certificate", "the peer has shown no certificate, and one is wanted"),
        ("wrong version number", noTLS), ("http request", noTLS),
        ("unsupported protocol", "both ends have no version of TLS in common"),
        ("alert protocol version", "both ends have no version of TLS in common"),
        ("no application protocol", "the peer does not speak HTTP/2 (ALPN 'h2')"),
    ]

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
