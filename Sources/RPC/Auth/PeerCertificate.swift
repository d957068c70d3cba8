/// The certificate of a peer whose chain TLS has verified; read once at the handshake and shared by all calls of the
/// connection.
public final class PeerCertificate: Sendable {
    /// The common name of the subject, empty if it has none.
    public let commonName: String
    /// Subject alternative names (RFC 5280, section 4.2.1.6), lower case.
    public let dnsNames: [String]
    /// For example `spiffe://mesh/node-1`.
    public let uris: [String]
    public let emails: [String]
    /// In text form, for example `10.0.0.7` or `fd00::1`.
    public let ipAddresses: [String]
    /// SHA-256 of the certificate's DER form, 64 lower-case hexadecimal digits.
    public let fingerprint: String

    public init(
        commonName: String, dnsNames: [String], uris: [String], emails: [String] = [], ipAddresses: [String] = [],
        fingerprint: String
    ) {
        self.commonName = commonName
        self.dnsNames = dnsNames.map { $0.lowercased() }
        self.uris = uris
        self.emails = emails
        self.ipAddresses = ipAddresses
        self.fingerprint = fingerprint.lowercased()
    }
}
