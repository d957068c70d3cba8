import NIOCore
import NIOPosix
import Synchronization

@testable import Mesh

/// A DNS server on a port of this process, UDP and TCP; what it answers is the test's.
final class NameServer: Sendable {
    struct Query: Sendable, Equatable {
        var name: String
        var kind: DNSQuestion.Kind?
        var isTCP: Bool
    }

    struct Record: Sendable {
        var kind: DNSQuestion.Kind
        var ttl: UInt32
        var data: [UInt8]

        static func address(_ text: String, ttl: UInt32 = 30) -> Record {
            switch try! SocketAddress(ipAddress: text, port: 0) {
            // Where the addresses are in the structs.
            case .v4(let address):
                return Record(kind: .v4, ttl: ttl, data: Array(bytes(of: address.address)[4..<8]))
            case .v6(let address):
                return Record(kind: .v6, ttl: ttl, data: Array(bytes(of: address.address)[8..<24]))
            case .unixDomainSocket: preconditionFailure("no address")
            }
        }

        private static func bytes<Value>(of value: Value) -> [UInt8] {
            unsafe withUnsafeBytes(of: value) { unsafe Array($0) }
        }

        static func service(
            _ host: String, port: Int, priority: Int = 0, weight: Int = 0, ttl: UInt32 = 30
        ) -> Record {
            let numbers = [priority, weight, port].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
            return Record(kind: .service, ttl: ttl, data: numbers + DNSMessage.bytes(ofName: host))
        }
    }

    enum Answer: Sendable {
        /// Cut short where UDP has no room for them.
        case records([Record])
        case code(UInt8)
        case bytes([UInt8])
        case silence

        static let noName = Answer.code(3)
        static let serverFailure = Answer.code(2)
        static let none = Answer.records([])
    }

    typealias Script = @Sendable (Query) -> Answer

    private let script = Mutex<Script>({ _ in .noName })
    private let asked = Mutex<[Query]>([])
    private let channels = Mutex<[any Channel]>([])

    /// What it was asked, in order.
    var queries: [Query] { asked.withLock { $0 } }

    func answer(_ script: @escaping Script) { self.script.withLock { $0 = script } }

    /// The same for each question of a name, by the kind of its records; other names there are none.
    func answer(_ names: [String: [Record]]) {
        answer { query in
            guard let records = names[query.name] else { return .noName }
            return .records(records.filter { $0.kind == query.kind })
        }
    }

    /// Never late for a busy machine.
    var configuration: DNSConfiguration {
        var configuration = DNSConfiguration()
        configuration.servers = [try! DNSServer(parsing: address.endpointName)]
        configuration.tryTimeout = .seconds(20)
        configuration.lookUpTimeout = .seconds(100)
        return configuration
    }

    func resolver(
        _ target: String, keep: Duration = .seconds(300), maxEndpoints: Int = Target.maxEndpoints
    ) throws -> Mesh.Resolver {
        Mesh.Resolver(
            target: try Target(parsing: target), service: DNSNameService(configuration: configuration), keep: keep,
            maxEndpoints: maxEndpoints)
    }

    var address: SocketAddress { channels.withLock { $0[0].localAddress! } }

    static func with<Value>(_ body: (NameServer) async throws -> Value) async throws -> Value {
        let server = NameServer()
        do {
            try await server.bind()
            let value = try await body(server)
            await server.close()
            return value
        } catch {
            await server.close()
            throw error
        }
    }

    private func bind() async throws {
        let group = TestNode.group
        for _ in 0..<100 {
            let stream = try await ServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(StreamHandler(server: self))
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            let datagrams = try? await DatagramBootstrap(group: group)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(DatagramHandler(server: self))
                    }
                }
                .bind(to: stream.localAddress!).get()
            if let datagrams { return channels.withLock { $0 = [stream, datagrams] } }
            // The port is free for one of the two only.
            try await stream.close()
        }
        throw MeshError("no port is free for a DNS server")
    }

    private func close() async { for channel in channels.withLock({ $0 }) { try? await channel.close() } }

    private func reply(to bytes: [UInt8], isTCP: Bool) -> [UInt8]? {
        guard let (name, kind, end) = DNSMessage.question(of: bytes) else { return nil }
        let query = Query(name: name, kind: kind, isTCP: isTCP)
        asked.withLock { $0.append(query) }
        func message(code: UInt8, _ records: [Record], isCut: Bool = false) -> [UInt8] {
            var message = [bytes[0], bytes[1], isCut ? 0x83 : 0x81, 0x80 | code, 0, 1]
            message += [UInt8(records.count >> 8), UInt8(records.count & 0xFF), 0, 0, 0, 0]
            message += bytes[12..<end]
            for record in records {
                message += [0xC0, 12, 0, UInt8(record.kind.rawValue), 0, 1]
                message += (0..<4).map { UInt8(truncatingIfNeeded: record.ttl >> (24 - 8 * $0)) }
                message += [UInt8(record.data.count >> 8), UInt8(record.data.count & 0xFF)] + record.data
            }
            return message
        }
        switch script.withLock({ $0 })(query) {
        case .records(let records):
            let whole = message(code: 0, records)
            return isTCP || whole.count <= 1232 ? whole : message(code: 0, [], isCut: true)
        case .code(let code): return message(code: code, [])
        case .bytes(let rest): return Array(bytes[0..<2]) + rest
        case .silence: return nil
        }
    }

    private final class DatagramHandler: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        typealias OutboundOut = AddressedEnvelope<ByteBuffer>
        private let server: NameServer
        init(server: NameServer) { self.server = server }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let query = unwrapInboundIn(data)
            guard let reply = server.reply(to: Array(query.data.readableBytesView), isTCP: false) else { return }
            let envelope = AddressedEnvelope(remoteAddress: query.remoteAddress, data: ByteBuffer(bytes: reply))
            context.writeAndFlush(wrapOutboundOut(envelope), promise: nil)
        }
    }

    private final class StreamHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let server: NameServer
        private var received = ByteBuffer()
        init(server: NameServer) { self.server = server }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.writeImmutableBuffer(unwrapInboundIn(data))
            while let query = received.readLengthPrefixedSlice(as: UInt16.self) {
                guard let reply = server.reply(to: Array(query.readableBytesView), isTCP: true) else { continue }
                var out = ByteBuffer()
                out.writeInteger(UInt16(reply.count))
                out.writeBytes(reply)
                context.writeAndFlush(wrapOutboundOut(out), promise: nil)
            }
        }
    }
}

extension DNSMessage {
    static func bytes(ofName name: String) -> [UInt8] {
        name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + $0.utf8 } + [0]
    }

    /// The question of a query, and where it ends.
    static func question(of query: [UInt8]) -> (name: String, kind: DNSQuestion.Kind?, end: Int)? {
        var reader = DNSReader(query)
        guard (try? reader.skip(12)) != nil, let name = try? reader.name(), let kind = try? reader.number() else {
            return nil
        }
        // The name as it is in the query has no pointers.
        return (name, DNSQuestion.Kind(rawValue: Int32(kind)), 12 + bytes(ofName: name).count + 4)
    }
}
