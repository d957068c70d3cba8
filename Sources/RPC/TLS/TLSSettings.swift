import NIOCore
import NIOSSL

/// What a TLS context is made of: where the PEM texts are, and how the peer is verified.
struct TLSSettings: Sendable, Hashable {
    enum Verification: Sendable { case none, ifShown, chain, chainAndName }

    var identity: TLSIdentity?
    var minimum: TLSMinimum
    /// nil: those of the system.
    var authorities: PEMSource?
    var verification = Verification.none
    /// What may be spoken (ALPN).
    var protocols = [TLSGate.http2]

    /// RFC 9113, section 9.2.2, forbids all but these with TLS 1.2. TLS 1.3 has no others.
    private static let cipherSuites = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ].joined(separator: ":")
    /// How long a closing end waits for the peer's goodbye.
    private static let shutdownTimeout = TimeAmount.seconds(1)
    private static let maxReads = 4

    var sources: [PEMSource] {
        [identity?.certificates, identity?.privateKey, authorities].compactMap { $0 }
    }

    /// All PEM texts, of one moment: read until two readings are the same, since they may be exchanged in between.
    /// Blocks.
    func read() throws(RPCError) -> [[UInt8]] {
        var last: [[UInt8]]?
        for _ in 0..<Self.maxReads {
            var texts: [[UInt8]] = []
            for source in sources { texts.append(try source.read()) }
            if texts == last { return texts }
            last = texts
        }
        throw RPCError(.failedPrecondition, "the files of the certificate change all the time")
    }

    /// - Parameter texts: of `sources`. Blocks, when the system's authorities are loaded.
    func context(_ texts: [[UInt8]]) throws(RPCError) -> NIOSSLContext {
        let bytes = Dictionary(zip(sources, texts), uniquingKeysWith: { first, _ in first })
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let identity {
            let certificates = try Self.certificates(identity.certificates, bytes)
            configuration.certificateChain = certificates.map { .certificate($0) }
            configuration.privateKey = .privateKey(try Self.privateKey(identity.privateKey, bytes))
        }
        if let authorities { configuration.trustRoots = .certificates(try Self.certificates(authorities, bytes)) }
        configuration.certificateVerification =
            switch verification {
            case .none: .none
            case .ifShown: .optionalVerification
            case .chain: .noHostnameVerification
            case .chainAndName: .fullVerification
            }
        configuration.minimumTLSVersion = minimum == .tls12 ? .tlsv12 : .tlsv13
        configuration.cipherSuites = Self.cipherSuites
        configuration.applicationProtocols = protocols
        configuration.shutdownTimeout = Self.shutdownTimeout
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            let names = sources.map(\.name).joined(separator: ", ")
            throw RPCError(.failedPrecondition, "cannot use \(names): \(TLSTrouble.text(error))")
        }
    }

    private static func certificates(
        _ source: PEMSource, _ bytes: [PEMSource: [UInt8]]
    ) throws(RPCError) -> [NIOSSLCertificate] {
        do {
            let certificates = try NIOSSLCertificate.fromPEMBytes(bytes[source] ?? [])
            if !certificates.isEmpty { return certificates }
        } catch {
            throw RPCError(.failedPrecondition, "\(source.name) holds no certificates in PEM form")
        }
        throw RPCError(.failedPrecondition, "\(source.name) holds no certificate")
    }

    private static func privateKey(
        _ source: PEMSource, _ bytes: [PEMSource: [UInt8]]
    ) throws(RPCError) -> NIOSSLPrivateKey {
        do {
            return try NIOSSLPrivateKey(bytes: bytes[source] ?? [], format: .pem)
        } catch {
            throw RPCError(.failedPrecondition, "\(source.name) holds no private key in PEM form")
        }
    }
}
