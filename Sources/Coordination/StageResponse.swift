import Messages
import NIOCore
import RPC
import Services

/// What the answers of nodes have in common.
protocol StageResponse: WireCodable, Sendable {
    var sequence: UInt64 { get }
    var width: Int { get }
    var height: Int { get }
    var timing: [Timing] { get }
}

extension DetectResponse: StageResponse {}
extension ClassifyResponse: StageResponse {}
extension FusedResponse: StageResponse {}

extension StageResponse {
    /// Of an answer that is unpacked where the task of its frame runs: of one that came alone, that is an event loop. So
    /// many take 1.5 million instructions (`response-decode`, benchmarks/README.md). The usual answer has one or two
    /// thousand, for which two changes of threads would cost more than they spare. The most that `ProtobufLimits` lets
    /// pass, 65,536 fields, take 30 million, and all other calls of the loop would wait for them.
    static var mostBytesOnLoop: Int { 16 << 10 }

    /// A large one is unpacked in Swift's pool.
    /// - Throws: as `decode`.
    static func decoded(from answer: Payload) async throws(RPCError) -> Self {
        guard answer.message.readableBytes > mostBytesOnLoop else { return try decode(answer) }
        return try await withTaskExecutorPreference(globalConcurrentExecutor) { () async throws(RPCError) -> Self in
            try decode(answer)
        }
    }
}
