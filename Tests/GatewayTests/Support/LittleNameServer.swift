import Mesh
import NIOCore
import NIOPosix

/// A DNS server of this process that says of each name that it has the same IPv4 addresses, in their order.
enum LittleNameServer {
    private final class Handler: ChannelInboundHandler, Sendable {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        typealias OutboundOut = AddressedEnvelope<ByteBuffer>

        private let addresses: [[UInt8]]

        init(_ addresses: [[UInt8]]) { self.addresses = addresses }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let asked = unwrapInboundIn(data)
            guard let answer = answer(Array(asked.data.readableBytesView)) else { return }
            let reply = AddressedEnvelope(remoteAddress: asked.remoteAddress, data: ByteBuffer(bytes: answer))
            context.writeAndFlush(wrapOutboundOut(reply), promise: nil)
        }

        /// RFC 1035, section 4.1.
        private func answer(_ query: [UInt8]) -> [UInt8]? {
            guard query.count > 12, let end = query[12...].firstIndex(of: 0), query.count >= end + 5 else { return nil }
            let question = query[12...(end + 4)]
            let isForV4 = query[end + 1] == 0 && query[end + 2] == 1
            let found = isForV4 ? addresses : []
            var answer = Array(query[0..<2])
            answer += [0x81, 0x80, 0, 1, 0, UInt8(found.count), 0, 0, 0, 0]
            answer += question
            for address in found {
                answer += [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4]
                answer += address
            }
            return answer
        }
    }

    /// - Returns: how it is asked; never too late for a busy machine.
    static func with<Value>(
        _ addresses: [[UInt8]], _ body: (DNSConfiguration) async throws -> Value
    ) async throws -> Value {
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(addresses))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        defer { channel.close(promise: nil) }
        var configuration = DNSConfiguration()
        configuration.servers = [try DNSServer(parsing: "127.0.0.1:\(channel.localAddress?.port ?? 0)")]
        configuration.tryTimeout = .seconds(20)
        configuration.lookUpTimeout = .seconds(100)
        return try await body(configuration)
    }
}
