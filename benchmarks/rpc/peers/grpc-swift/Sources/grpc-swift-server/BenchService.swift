import GRPCCore
import GRPCNIOTransportHTTP2Posix

/// `/bench.Bench/Async`: 64 bytes back, of which the first eight are the length of the request.
struct BenchService: RegistrableRPCService {
    static let replyBytes = 64

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerHandler(
            forMethod: MethodDescriptor(fullyQualifiedService: "bench.Bench", method: "Async"),
            deserializer: RawDeserializer(), serializer: RawSerializer()
        ) { request, _ in
            let request = try await ServerRequest(stream: request)
            let reply = Self.reply(to: request.message.count)
            return StreamingServerResponse(single: ServerResponse(message: reply))
        }
    }

    private static func reply(to length: Int) -> GRPCNIOTransportBytes {
        var reply = GRPCNIOTransportBytes(repeating: 0, count: replyBytes)
        reply.withUnsafeMutableBytes { $0.storeBytes(of: UInt64(length).bigEndian, as: UInt64.self) }
        return reply
    }
}
