/// TLS of a server. Only HTTP/2 is spoken (ALPN `h2`): a client that does not ask for it is refused.
///
///     configuration.tls = ServerTLS(.files(certificates: "tls.crt", privateKey: "tls.key"))
///     configuration.tls?.clients = .required(authorities: .file("ca.crt"))
///
/// Files may be exchanged while the server runs: new connections get the new certificate, calls on old ones go on.
/// Files that cannot be used are logged once, and the certificate before them stays.
public struct ServerTLS: Sendable {
    /// Whether clients show certificates. What they show is verified against `authorities` (PEM, one or more).
    public enum Clients: Sendable, Hashable {
        /// They are not asked.
        case anyone
        /// Who shows a certificate must show a good one; who shows none is served as well.
        case optional(authorities: PEMSource)
        case required(authorities: PEMSource)
    }

    public var identity: TLSIdentity
    public var clients = Clients.anyone
    public var minimum = TLSMinimum.tls12
    /// How often the files are looked at. Zero: only by `RPCServer.reloadCertificates()`.
    public var reloadInterval: Duration = .seconds(5)

    public init(_ identity: TLSIdentity) { self.identity = identity }

    /// Reads the files, to see whether they can be used. Blocks.
    /// - Throws: `RPCError` FAILED_PRECONDITION that names the file and what is wrong with it.
    public func check() throws(RPCError) { _ = try TLSContextStore(settings) }

    /// The same for a server that speaks something else than gRPC. Blocks.
    /// - Parameter protocols: what may be spoken (ALPN), such as `http/1.1`.
    /// - Throws: as `check`.
    package func contexts(protocols: [String]) throws(RPCError) -> TLSContextStore {
        var settings = settings
        settings.protocols = protocols
        return try TLSContextStore(settings)
    }

    var settings: TLSSettings {
        var settings = TLSSettings(identity: identity, minimum: minimum)
        switch clients {
        case .anyone: settings.verification = .none
        case .optional(let authorities):
            settings.verification = .ifShown
            settings.authorities = authorities
        case .required(let authorities):
            settings.verification = .chain
            settings.authorities = authorities
        }
        return settings
    }
}
