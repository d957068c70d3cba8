import NIOCore
import RPC

/// Reads a request of any size, plain or with an attachment, and answers 64 bytes that begin with its length.
struct BenchService: RPCService {
    private static let replyBytes = 64

    let serviceName = "bench.Bench"
    let methods: [String: RPCHandler] = [
        "Sync": .immediate { _, request in UnaryResponse(reply(to: request)) },
        "Async": .unary { _, request in UnaryResponse(reply(to: request)) },
    ]

    private static func reply(to request: Payload) -> Payload {
        let length = request.message.readableBytes + (request.attachment?.readableBytes ?? 0)
        var reply = ByteBufferAllocator().buffer(capacity: replyBytes)
        reply.writeInteger(UInt64(length))
        reply.writeRepeatingByte(0, count: replyBytes - reply.writerIndex)
        return Payload(reply)
    }
}
