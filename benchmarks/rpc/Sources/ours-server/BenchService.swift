import NIOCore
import RPC

/// Reads a request of any size, plain or with an attachment, and answers 64 bytes.
struct BenchService: RPCService {
    private static let reply = UnaryResponse(Payload(ByteBuffer(repeating: 0x2a, count: 64)))

    let serviceName = "bench.Bench"
    let methods: [String: RPCHandler] = [
        "Sync": .immediate { _, _ in Self.reply },
        "Async": .unary { _, _ in Self.reply },
    ]
}
