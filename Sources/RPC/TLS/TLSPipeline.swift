import NIOCore
import NIOSSL

/// Puts TLS before the HTTP/2 handler of a channel. On the channel's loop.
enum TLSPipeline {
    /// - Parameter agreed: called before the first byte of HTTP/2, with the client's certificate if it is verified.
    static func secure(
        _ channel: any Channel, server store: TLSContextStore, agreed: @escaping (PeerCertificate?) -> Void
    ) throws {
        let tls = NIOSSLServerHandler(context: store.context)
        try put(tls, on: channel, verifiesPeer: store.settings.verification != .none, agreed: agreed)
    }

    /// - Parameter name: what the server's certificate must bear: a host name, or the IP address of the channel's peer.
    static func secure(_ channel: any Channel, client context: NIOSSLContext, serverName name: String) throws {
        // An address is not sent (RFC 6066, section 3), and compared with the peer's.
        let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
        let tls = try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : name)
        try put(tls, on: channel, verifiesPeer: false) { _ in }
    }

    private static func put(
        _ tls: NIOSSLHandler, on channel: any Channel, verifiesPeer: Bool,
        agreed: @escaping (PeerCertificate?) -> Void
    ) throws {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandlers(
            [tls, TLSGate(after: tls, verifiesPeer: verifiesPeer, agreed: agreed)], position: .first)
    }
}
