import NIOSSL
import Synchronization

/// TLS of a client. The server's certificate is verified, with its name, and it must choose HTTP/2 (ALPN `h2`).
///
///     configuration.tls = ClientTLS(trust: .authorities(.file("ca.crt")))
///     configuration.tls?.identity = .files(certificates: "tls.crt", privateKey: "tls.key")
///
/// Files are looked at for each new connection; those that cannot be used are logged once, and what was read before
/// them stays.
public struct ClientTLS: Sendable {
    public enum Trust: Sendable, Hashable {
        /// The authorities that the operating system trusts.
        case system
        /// These only.
        case authorities(PEMSource)
    }

    public var trust: Trust
    /// For servers that want to know who calls.
    public var identity: TLSIdentity?
    /// The name that the server's certificate must bear, and that the server is told (SNI, and `:authority`). nil: the
    /// host of the connection's authority, which may be an IP address.
    public var serverName: String?
    public var minimum = TLSMinimum.tls12

    /// Copies of one value share what they have read.
    private let memo = Memo()

    public init(trust: Trust = .system, identity: TLSIdentity? = nil, serverName: String? = nil) {
        self.trust = trust
        self.identity = identity
        self.serverName = serverName
    }

    /// TLS itself compares an address with that of its peer, not with the name: it verifies the chain, `TLSGate` the
    /// address.
    func settings(for name: ServerName) -> TLSSettings {
        var settings = TLSSettings(identity: identity, minimum: minimum)
        settings.verification = if case .host = name { .chainAndName } else { .chain }
        if case .authorities(let source) = trust { settings.authorities = source }
        return settings
    }

    /// Reads the files, to see whether they can be used. Blocks.
    /// - Throws: `RPCError` FAILED_PRECONDITION that names the file and what is wrong with it.
    public func check() throws(RPCError) { _ = try store(for: ServerName("localhost")) }

    /// Blocks.
    /// - Returns: `isNew`: its files were read here.
    /// - Throws: `RPCError` FAILED_PRECONDITION when they cannot be used, and never could.
    func store(for name: ServerName) throws(RPCError) -> (store: TLSContextStore, isNew: Bool) {
        let settings = settings(for: name)
        if let store = memo.stores.withLock({ $0.first { $0.settings == settings } }) { return (store, false) }
        let store = try TLSContextStore(settings)
        memo.stores.withLock { stores in
            if stores.count >= Self.maxStores { stores.removeFirst() }
            stores.append(store)
        }
        return (store, true)
    }

    /// For names and for addresses.
    private static let maxStores = 2

    private final class Memo: Sendable {
        let stores = Mutex<[TLSContextStore]>([])
    }
}
