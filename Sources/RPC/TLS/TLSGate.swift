import HTTP2
import NIOCore
import NIOSSL
import NIOTLS

/// Stands between TLS and HTTP/2 until the handshake has ended: it must have agreed on HTTP/2 (RFC 9113, section 3.2).
/// Then it takes itself out. Whatever goes wrong before ends the channel, and comes to HTTP/2 as an `HTTP2Error`.
final class TLSGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    static let http2 = "h2"

    /// What is asked of the peer's certificate beyond what TLS has verified.
    enum Peer {
        /// Not even looked at.
        case anyone
        /// It is told to HTTP/2.
        case client
        /// It must bear this name. TLS also takes a certificate for the address of the peer, whatever its name.
        case server(ServerName)
    }

    private let tls: NIOSSLHandler
    private let peer: Peer
    private let agreed: (PeerCertificate?) -> Void
    private var hasFailed = false

    /// - Parameter agreed: called once, before the first byte of HTTP/2, with a client's certificate.
    init(after tls: NIOSSLHandler, peer: Peer, agreed: @escaping (PeerCertificate?) -> Void) {
        self.tls = tls
        self.peer = peer
        self.agreed = agreed
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent {
            handshakeEnded(context, negotiated)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    private func handshakeEnded(_ context: ChannelHandlerContext, _ negotiated: String?) {
        guard negotiated == Self.http2 else {
            let choice = negotiated.map { "on '\($0)'" } ?? "on no protocol"
            return fail(context, "TLS: both ends agreed \(choice), not on HTTP/2 (ALPN 'h2')")
        }
        do {
            try look()
        } catch {
            return fail(context, TLSTrouble.text(error))
        }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    private func look() throws {
        switch peer {
        case .anyone: agreed(nil)
        case .client: agreed(try tls.peerCertificate.map { try PeerCertificate($0) })
        case .server(let name):
            guard let certificate = tls.peerCertificate, name.isBorne(by: try PeerCertificate(certificate)) else {
                throw NIOSSLError.unableToValidateCertificate
            }
            agreed(nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !hasFailed else { return }
        hasFailed = true
        var trouble = Self.error(TLSTrouble.text(error, certificate: tls.peerCertificate))
        trouble.isTLSMismatch = TLSTrouble.isPlainText(error)
        context.fireErrorCaught(trouble)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What a refused peer still says is not read.
        if !hasFailed { context.fireChannelRead(data) }
    }

    private func fail(_ context: ChannelHandlerContext, _ message: String) {
        hasFailed = true
        context.fireErrorCaught(Self.error(message))
        context.close(promise: nil)
    }

    private static func error(_ message: String) -> HTTP2Error {
        HTTP2Error(.protocolError, message, limit: .tlsHandshake)
    }
}
