/// Who may call: bearer tokens and client certificates, each with the caller's name, which is its principal, and scopes.
///
/// Of a token only its SHA-256 is known here. See `init(text:)` for the file format.
public final class Credentials: Sendable {
    private let digests: [TokenDigest]
    private let bearers: [Principal]
    private let certificates: [CertificateName: Principal]

    /// What of a certificate names its owner.
    enum CertificateName: Hashable {
        case dns(String), uri(String), fingerprint(String)
    }

    /// One credential per line:
    ///
    ///     # kind       value                            caller       scopes
    ///     token        sha256:9f86d081884c7d659a2f…     camera-7     analyze
    ///     dns          node-1.mesh.example              node-1       detect,classify
    ///     uri          spiffe://mesh/coordinator        coordinator  detect,classify
    ///     fingerprint  3b1c09a4…                        operator     admin
    ///
    /// Fields are separated by spaces or tabs; scopes by commas, and may be missing. `#` begins a comment at the start of a
    /// line. A digest is made by `printf %s "$TOKEN" | sha256sum`; a token should be 32 random bytes, for example of
    /// `openssl rand -hex 32`. `dns` and `uri` are subject alternative names of a client certificate, matched as a whole;
    /// `fingerprint` is the SHA-256 of its DER form.
    ///
    /// - Throws: `RPCError` INVALID_ARGUMENT that names the line; never what is written there.
    public init(text: String) throws(RPCError) {
        let limits = CredentialLimits.ofProcess
        guard text.utf8.count <= limits.maxFileBytes else {
            throw RPCError(
                .invalidArgument, "\(text.utf8.count) bytes of credentials exceed limit \(limits.maxFileBytes)")
        }
        var digests: [TokenDigest] = []
        var bearers: [Principal] = []
        var certificates: [CertificateName: Principal] = [:]
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let fields = line.split { $0 == " " || $0 == "\t" }
            guard let kind = fields.first, !kind.hasPrefix("#") else { continue }
            func wrong(_ what: String) -> RPCError { RPCError(.invalidArgument, "line \(index + 1): \(what)") }
            guard (3...4).contains(fields.count) else { throw wrong("kind, value, caller and scopes are needed") }
            let scopes = fields.count == 4 ? Set(fields[3].split(separator: ",").map(String.init)) : []
            let principal = Principal(name: String(fields[2]), scopes: scopes)
            if kind == "token" {
                guard fields[1].hasPrefix("sha256:"), let digest = TokenDigest(hexadecimal: fields[1].dropFirst(7))
                else {
                    throw wrong("a token is given as sha256: and 64 hexadecimal digits")
                }
                guard digest.index(in: digests) == nil else { throw wrong("the token is there already") }
                guard digests.count < limits.maxTokens else { throw wrong("more than \(limits.maxTokens) tokens") }
                digests.append(digest)
                bearers.append(principal)
            } else {
                let name: CertificateName
                switch kind {
                case "dns": name = .dns(fields[1].lowercased())
                case "uri": name = .uri(String(fields[1]))
                case "fingerprint":
                    guard TokenDigest(hexadecimal: fields[1]) != nil else {
                        throw wrong("a fingerprint has 64 hexadecimal digits")
                    }
                    name = .fingerprint(fields[1].lowercased())
                default: throw wrong("the kind is none of token, dns, uri, fingerprint")
                }
                guard certificates.updateValue(principal, forKey: name) == nil else {
                    throw wrong("the name is there already")
                }
            }
        }
        self.digests = digests
        self.bearers = bearers
        self.certificates = certificates
    }

    /// That anybody has.
    package var scopes: Set<String> {
        (bearers + certificates.values).reduce(into: []) { $0.formUnion($1.scopes) }
    }

    /// nil if nobody has it.
    package func principal(bearing token: some StringProtocol) -> Principal? {
        TokenDigest(token: token).index(in: digests).map { bearers[$0] }
    }

    /// By its fingerprint, else by the first of its names that is known. nil if nobody has it.
    func principal(of certificate: PeerCertificate) -> Principal? {
        if certificates.isEmpty { return nil }
        if let principal = certificates[.fingerprint(certificate.fingerprint)] { return principal }
        for uri in certificate.uris {
            if let principal = certificates[.uri(uri)] { return principal }
        }
        for name in certificate.dnsNames {
            if let principal = certificates[.dns(name)] { return principal }
        }
        return nil
    }
}
