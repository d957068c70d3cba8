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

    /// - Parameter context: of `ClientTLS.store(for: name)`.
    static func secure(_ channel: any Channel, client context: NIOSSLContext, serverName name: ServerName) throws {
        let told: String? = if case .host(let host) = name { host } else { nil }
        let tls = try NIOSSLClientHandler(context: context, serverHostname: told)
        let gate = TLSGate(after: tls, peer: .server(name)) { _ in }
        try channel.pipeline.syncOperations.addHandlers([tls, gate], position: .first)
    }
}
