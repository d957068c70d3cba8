import NIOCore
import NIOSSL

/// Puts TLS before the HTTP/2 handler of a channel. On the channel's loop.
enum TLSPipeline {
    /// - Parameter agreed: called before the first byte of HTTP/2, with the client's certificate if it is verified.
    static func secure(
        _ channel: any Channel, server store: TLSContextStore, agreed: @escaping (PeerCertificate?) -> Void
    ) throws {
        let tls = NIOSSLServerHandler(context: store.context)
        let gate = TLSGate(
            after: tls, peer: store.settings.verification == .none ? .anyone : .client, agreed: agreed)
        try channel.pipeline.syncOperations.addHandlers([tls, gate], position: .first)
    }

    /// - Parameter name: what the server's certificate must bear: a host name, or the IP address of the channel's peer.
    static func secure(_ channel: any Channel, client context: NIOSSLContext, serverName name: String) throws {
        // An address is not sent (RFC 6066, section 3), and compared with the peer's.
        let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
        let tls = try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : name)
        let gate = TLSGate(after: tls, peer: isAddress ? .anyone : .server(name: name)) { _ in }
        try channel.pipeline.syncOperations.addHandlers([tls, gate], position: .first)
    }
}
