/// Who one end of a connection says it is, and the proof: a certificate with the ones that lead to its authority, and
/// the private key of the first.
public struct TLSIdentity: Sendable, Hashable {
    /// The own certificate first, then intermediate ones.
    public var certificates: PEMSource
    public var privateKey: PEMSource

    public init(certificates: PEMSource, privateKey: PEMSource) {
        self.certificates = certificates
        self.privateKey = privateKey
    }

    public static func files(certificates: String, privateKey: String) -> TLSIdentity {
        TLSIdentity(certificates: .file(certificates), privateKey: .file(privateKey))
    }
}

/// The oldest protocol that is spoken.
public enum TLSMinimum: Sendable, Hashable { case tls12, tls13 }
