import Logging
import Mesh
import Messages
import NIOCore
import NIOPosix
import RPC
import Services
import Synchronization
import Testing

@testable import Client

/// Streams over coordinators that end while frames are on their way.
@Suite(.timeLimit(.minutes(5))) struct FrameStreamTests {
    /// A coordinator whose connections all end once it has answered `life` frames of a stream; each next frame it has
    /// read by then stays unanswered.
    private final class Coordinator: VisionHandler {
        let life: Int
        /// In each answer of a stream.
        let classes: Int
        let heard = Mutex<[AnalyzeRequest]>([])
        let server = Mutex<Task<Void, any Error>?>(nil)

        init(life: Int, classes: Int = 0) {
            self.life = life
            self.classes = classes
        }

        func analyze(_ request: AnalyzeRequest, context: CallContext) async throws -> AnalyzeResponse {
            .answering(request.frame.sequence)
        }

        func analyzeStream(
            _ requests: MessageStream, context: CallContext,
            answer: @Sendable @escaping (AnalyzeResponse) async throws -> Void
        ) async throws {
            var answered = 0
            for try await payload in requests {
                let request = try AnalyzeRequest.decode(payload)
                heard.withLock { $0.append(request) }
                guard answered < life else {
                    server.withLock { $0 }?.cancel()
                    try await Task.sleep(for: .seconds(600))
                    return
                }
                var response = AnalyzeResponse.answering(request.frame.sequence)
                response.epoch = request.epoch
                response.classes = Array(
                    repeating: Classification(classID: 1, label: "one", confidence: 0.9), count: classes)
                try await answer(response)
                answered += 1
            }
        }

        func pipelines() -> [PipelineDescription] { [] }
        func nodes() async -> [NodeState] { [] }

        /// Serves until it has lived, or the test ends.
        func start() async throws -> String {
            let health = HealthService()
            health.set(.serving)
            health.set(.serving, for: ServiceName.vision)
            var configuration = ServerConfiguration.cluster
            configuration.drainTimeout = .zero
            let server = try await RPCServer.bind(
                host: "127.0.0.1", port: 0, configuration: configuration, services: [VisionService(self), health],
                group: MultiThreadedEventLoopGroup.singleton, logger: FrameStreamTests.logger)
            self.server.withLock { $0 = Task { try await server.run() } }
            return server.address.endpointName
        }

        func stop() async {
            let task = server.withLock { $0 }
            task?.cancel()
            _ = try? await task?.value
        }
    }

    private static var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .error
        return logger
    }

    private struct Run {
        var sequences: [UInt64] = []
        var epochs: [UInt32] = []
        var resumptions = 0
    }

    /// Sends `count` frames over `coordinators`.
    private static func run(
        _ count: UInt64, over coordinators: [Coordinator], resumeTimeout: Duration = .seconds(120),
        isEnding: Bool = false
    ) async throws -> Run {
        var places: [String] = []
        for coordinator in coordinators { places.append(try await coordinator.start()) }
        var configuration = MeshClientConfiguration()
        configuration.resumeTimeout = resumeTimeout
        configuration.channel.readyTimeout = .milliseconds(500)
        let result = Mutex(Run())
        do {
            let client = try await MeshClient.connect(
                to: Target(parsing: "static:///" + places.joined(separator: ",")), configuration)
            defer { client.close() }
            let stream = FrameStream<UInt64>(
                client: client, limits: .lossless, resumed: { _, _ in result.withLock { $0.resumptions += 1 } },
                isEnding: { isEnding })
            let next = Mutex<UInt64>(0)
            try await stream.run {
                let sequence = next.withLock { next in
                    defer { next += 1 }
                    return next
                }
                return sequence < count ? .frame(.numbered(sequence, bytes: 100), keep: sequence, bytes: 0) : nil
            } answer: { response, kept in
                #expect(response.sequence == kept)
                result.withLock {
                    $0.sequences.append(response.sequence)
                    $0.epochs.append(response.epoch)
                }
            }
        } catch {
            for coordinator in coordinators { await coordinator.stop() }
            throw error
        }
        for coordinator in coordinators { await coordinator.stop() }
        return result.withLock { $0 }
    }

    @Test func aStreamOutlivesItsCoordinators() async throws {
        let coordinators = [Coordinator(life: 10), Coordinator(life: 10), Coordinator(life: .max)]
        let run = try await Self.run(200, over: coordinators)
        #expect(run.sequences == Array(0..<200))
        // Epochs count the beginnings, and never go back.
        #expect(run.epochs == run.epochs.sorted())
        #expect(run.epochs.first == 0)
        let last = try #require(run.epochs.last)
        #expect((run.resumptions == 0) == (last == 0))
        for coordinator in coordinators {
            let heard = coordinator.heard.withLock { $0 }
            #expect(heard.allSatisfy { $0.epoch == heard[0].epoch })
        }
    }

    @Test func itGoesOnAtTheNextFrameWithoutAnAnswer() async throws {
        let mortal = Coordinator(life: 10)
        let other = Coordinator(life: .max)
        // The stream may begin at either; only one of them ends. Where that end comes before the first answer is read, the
        // channel begins the call again by itself.
        var run = Run()
        while run.resumptions == 0 { run = try await Self.run(100, over: [mortal, other]) }
        #expect(run.sequences == Array(0..<100))
        // Answers that were not read by then are lost with the connection.
        let first = run.epochs.count { $0 == 0 }
        #expect(first <= 10)
        #expect(run.epochs == Array(repeating: 0, count: first) + Array(repeating: 1, count: 100 - first))
        #expect(run.resumptions == 1)
    }

    @Test func withoutAnotherCoordinatorItFailsAndSaysWhy() async throws {
        let error = await #expect(throws: ClientError.self) {
            try await Self.run(100, over: [Coordinator(life: 10)], resumeTimeout: .seconds(1))
        }
        #expect(error?.kind == .unreachable)
        // Its attempts wait for 0.5 s each, and it says how long it made them.
        let message = error?.message ?? ""
        #expect(message.contains("was lost ") && message.contains(" s ago; the last attempt to go on: "), "\(message)")
    }

    /// Within 0.5 s, where it would have two minutes.
    @Test func whereNothingIsWorthALongWaitItFailsSoon() async throws {
        let begin = ContinuousClock.now
        let error = await #expect(throws: ClientError.self) {
            try await Self.run(100, over: [Coordinator(life: 10)], isEnding: true)
        }
        #expect(error?.kind == .unreachable)
        #expect(ContinuousClock.now - begin < .seconds(60))
    }

    @Test func anAnswerThatCannotBeReadIsNotTheClientsFault() async throws {
        // More fields than a message may have.
        let error = await #expect(throws: RPCError.self) {
            try await Self.run(1, over: [Coordinator(life: .max, classes: 20_000)])
        }
        #expect(error?.code == .internal)
        #expect(error?.message.contains("malformed") == true)
    }
}
