import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// A look at what a server shows in a TLS handshake, without trusting it.
struct CertificateLook: Sendable {
    struct Certificate: Sendable, Equatable {
        var names: [String]
        var from, to: Date
        var issuer: String
    }

    enum Outcome: Sendable, Equatable {
        case certificate(Certificate)
        /// It speaks no TLS.
        case none
        /// It took the connection, and said nothing in the time that it had.
        case silent
    }

    let host: String
    let port: Int
    let protocols: [String]

    func look(within time: Duration) async -> Outcome {
        var tls = TLSConfiguration.makeClientConfiguration()
        // Nothing is sent; what is shown is only told.
        tls.certificateVerification = .none
        tls.applicationProtocols = protocols
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let shaken = loop.makePromise(of: Outcome.self)
        let name = (try? SocketAddress(ipAddress: host, port: port)) == nil ? host : nil
        do {
            let context = try NIOSSLContext(configuration: tls)
            let channel = try await ClientBootstrap(group: loop).connectTimeout(TimeAmount(time))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: context, serverHostname: name))
                        try channel.pipeline.syncOperations.addHandler(Handshake(shaken))
                    }
                }.connect(host: host, port: port).get()
            let timer = loop.scheduleTask(in: TimeAmount(time)) { shaken.succeed(.silent) }
            let outcome = try await shaken.futureResult.get()
            timer.cancel()
            channel.close(promise: nil)
            return outcome
        } catch {
            shaken.succeed(.none)
            return .none
        }
    }

    /// Waits for the end of the handshake.
    private final class Handshake: ChannelInboundHandler {
        typealias InboundIn = NIOAny

        private let shaken: EventLoopPromise<Outcome>

        init(_ shaken: EventLoopPromise<Outcome>) { self.shaken = shaken }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard case TLSUserEvent.handshakeCompleted = event else { return }
            let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
            shaken.succeed(certificate.map { .certificate(Certificate($0)) } ?? .none)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            shaken.succeed(.none)
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { shaken.succeed(.none) }
    }
}

extension CertificateLook.Certificate {
    fileprivate init(_ certificate: NIOSSLCertificate) {
        names = certificate._subjectAlternativeNames().compactMap { name in
            let bytes = Array(name.contents)
            switch name.nameType {
            case .dnsName where bytes.allSatisfy { (0x20...0x7e).contains($0) }:
                return String(decoding: bytes, as: UTF8.self)
            case .ipAddress:
                return try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: 0).ipAddress
            default: return nil
            }
        }
        from = Date(timeIntervalSince1970: TimeInterval(certificate.notValidBefore))
        to = Date(timeIntervalSince1970: TimeInterval(certificate.notValidAfter))
        issuer = certificate.issuerName.last { $0.type == .commonName }?.value ?? "an authority without a name"
    }

    /// For people.
    var text: String {
        let day = Date.ISO8601FormatStyle().year().month().day()
        let whose = names.isEmpty ? "nobody" : names.joined(separator: ", ")
        return "for \(whose), from \(from.formatted(day)) to \(to.formatted(day)), of \(issuer)"
    }
}
