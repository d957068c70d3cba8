import Logging
import NIOCore

/// Reads the compressed messages of one call, when their consumer takes them: what waits in a queue is still small,
/// and the work is done in the task of the handler, not on the event loop.
final class Inflater: Sendable {
    /// A first guess at the size of the result, in sizes of the compressed message. It doubles as needed.
    private static let usualRatio = 4
    private static let smallestRoom = 1 << 10

    /// Inflating so much takes an event loop no longer than a few small calls do.
    static let mostOnLoop = 16 << 10

    /// zlib counts with 32 bits, and a byte more than allowed is looked for.
    private static let most = Int(Int32.max)

    let compression: Compression
    /// Of one message, inflated.
    let maxBytes: Int
    private let budget: MemoryBudget
    private let share: MemoryShare?
    /// Of a client, which counts here what it refuses; a server counts the errors of its calls.
    private let server: Server?

    /// Who sent the messages, for the log.
    struct Server: Sendable {
        var name: String
        var logger: Logger
    }

    init(
        compression: Compression, maxBytes: Int, budget: MemoryBudget, share: MemoryShare? = nil, server: Server? = nil
    ) {
        self.compression = compression
        self.maxBytes = min(maxBytes, Self.most)
        self.budget = budget
        self.share = share
        self.server = server
    }

    /// Takes and reserves memory step by step, for bytes that are there and not for those that a peer claims.
    /// - Parameter beside: bytes that share the reservation with the message.
    /// - Throws: RESOURCE_EXHAUSTED at the limit, or if the budget has no room now (whoever waited with the compressed
    ///   message in hand could wait for others that do the same); INTERNAL if the bytes are damaged, end too early, or
    ///   go on after their end.
    func inflate(
        _ compressed: ByteBuffer, beside: Int = 0
    ) throws(RPCError) -> (message: ByteBuffer, lease: MemoryBudget.Lease?) {
        do {
            return try inflateAll(compressed, beside)
        } catch {
            guard let server else { throw error }
            if let limit = error.limit {
                LimitCounters.client.count(limit, peer: server.name, error.message, server.logger)
            }
            var error = error
            error.isWithheld = true
            throw error
        }
    }

    private func inflateAll(
        _ compressed: ByteBuffer, _ beside: Int
    ) throws(RPCError) -> (message: ByteBuffer, lease: MemoryBudget.Lease?) {
        var stream = try ZlibStream(inflating: compression)
        var output = ByteBuffer()
        var lease: MemoryBudget.Lease?
        // One more than allowed, to see whether there is more.
        let mostRoom = maxBytes + 1
        var room = min(mostRoom, max(Self.smallestRoom, compressed.readableBytes * Self.usualRatio))
        var input = compressed
        while true {
            // While the buffer grows, both the old and the new one are there.
            let larger = try reserve(room + beside)
            let progress = stream.run(&input, into: &output, upTo: room)
            lease = larger
            guard output.readableBytes <= maxBytes else { throw tooLarge }
            switch progress {
            case .ended:
                guard input.readableBytes == 0 else { throw malformed("has bytes after its end") }
                return (output, lease)
            case .needsRoom: room = min(mostRoom, room * 2)
            case .needsInput: throw malformed("ends too early")
            case .damaged: throw malformed("is damaged")
            }
        }
    }

    private func reserve(_ bytes: Int) throws(RPCError) -> MemoryBudget.Lease? {
        guard bytes >= MemoryBudget.smallestReservation else { return nil }
        guard let lease = budget.reserve(bytes, in: share) else {
            throw RPCError(
                .resourceExhausted, "no memory for a compressed message: \(bytes) bytes of \(budget.limit)",
                limit: .memoryBudget)
        }
        return lease
    }

    private var tooLarge: RPCError {
        RPCError(.resourceExhausted, "decompressed message size exceeds limit \(maxBytes)", limit: .messageBytes)
    }

    private func malformed(_ what: String) -> RPCError {
        RPCError(.internal, "\(compression.rawValue) message \(what)", limit: .malformedCall)
    }
}
