import Mesh
import Messages
import NIOCore
import NIOPosix
import RPC
import Services
import Testing

@testable import Coordination

/// Answers of nodes that would hold up an event loop.
@Suite(.timeLimit(.minutes(5))) struct LargeAnswerTests {
    /// Knows where it was unpacked.
    private struct Placed: StageResponse {
        let wasOnLoop: Bool
        let sequence: UInt64 = 1
        let width = 64
        let height = 48
        let timing: [Timing] = []

        func encode() -> WireMessage { WireMessage(message: ByteBuffer()) }

        static func decode(_ wire: WireMessage) throws(MessageError) -> Placed {
            Placed(wasOnLoop: MultiThreadedEventLoopGroup.currentEventLoop != nil)
        }
    }

    /// A node whose answers have so many bytes.
    private struct Talker: StageCaller {
        let bytes: Int
        let lastRecovery: NIODeadline? = .now()
        let outlook: EndpointOutlook? = nil

        func untilReady() async throws {}

        func call(
            _ path: String, _ request: Payload, options: CallOptions, outageGrace: Duration?
        ) async throws -> ChannelResponse {
            let payload = Payload(ByteBuffer(repeating: 0, count: bytes))
            return ChannelResponse(response: UnaryResponse(payload), endpoint: "node", retries: 0)
        }
    }

    /// How many bytes more than the most that is unpacked on a loop.
    @Test(arguments: [(0, true), (1, false)])
    func aLargeOneIsUnpackedElsewhere(_ beyond: Int, _ isOnLoop: Bool) async throws {
        let runner = FrameRunner(
            places: Places(), configuration: CoordinatorConfiguration(detectors: nil, classifiers: nil))
        let node = Talker(bytes: Placed.mostBytesOnLoop + beyond)
        let detect = try #require(Pipeline.builtIn.first { $0.name == "detect" })
        let request = AnalyzeRequest(frame: Frame(sequence: 1, payload: .attached(ByteBuffer())), pipeline: "detect")
        let frame = AcceptedFrame(
            request: request, pipeline: detect, arrival: .now(), deadline: .after(.seconds(600)), waitsForRoom: false,
            client: CallOrigin(0))
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        // As the handler of a frame that came alone.
        let call = Task(executorPreference: LoopExecutor(loop)) { () async -> StageResult<Placed> in
            await runner.call(
                "detect", node, MethodPath.detect, DetectRequest(frame: request.frame), frame, CallPatience())
        }
        let result = await call.value
        #expect(result.error == nil && result.response?.wasOnLoop == isOnLoop)
    }

    @Test func largeAndSmallOnesAreWholeAndInOrder() async throws {
        @Sendable func count(_ sequence: UInt64) -> Int { sequence.isMultiple(of: 2) ? 2000 : 1 }
        let node = ScriptedNode(onDetect: { request in
            .found((0..<count(request.frame.sequence)).map { .digit(at: Float($0)) }, in: request.frame)
        })
        try await TestMesh.with(detectors: [node], classifiers: nil) { mesh in
            var answers = try await mesh.stream("detect", count: 20)
            #expect(answers.map(\.sequence) == Array(0..<20))
            answers.append(try await mesh.analyze("detect") { $0.frame = mesh.frame(20) })
            for answer in answers {
                #expect(answer.status == .ok)
                #expect(answer.detections.map(\.box.x) == (0..<count(answer.sequence)).map { Float($0) })
            }
        }
    }
}
