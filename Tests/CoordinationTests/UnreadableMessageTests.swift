import Messages
import NIOCore
import RPC
import Services
import Testing

/// What is no message of the schema, or one beyond its limits, counts against who sent it.
@Suite struct UnreadableMessageTests {
    private static let garbage = Payload(ByteBuffer(bytes: [0xff]))

    private struct Broken: Caller {
        func unary(_ path: String, _ request: Payload, options: CallOptions) async throws -> UnaryResponse {
            UnaryResponse(UnreadableMessageTests.garbage)
        }
    }

    @Test func aRequestIsItsClientsMistake() {
        let error = #expect(throws: RPCError.self) { try DetectRequest.decode(Self.garbage) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.limit == .protobuf)
    }

    @Test func anAnswerIsItsServersMistake() async {
        let error = await #expect(throws: RPCError.self) { try await NodeClient(Broken()).describe(deadline: nil) }
        #expect(error?.code == .internal)
        // Of our own clients none has gone beyond it.
        #expect(error?.limit == nil)
    }
}
