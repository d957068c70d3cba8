import Logging
import Mesh
import Messages
import NIOPosix
import RPC
import Services
import Synchronization

/// A coordinator that answers all frames, of one stream two of them in the wrong order, but for those of one pipeline. One stream
/// it refuses after some of its frames.
final class SwappingCoordinator: VisionHandler {
    private let stream: String
    private let refused: String?
    private let state = Mutex<[String: Int]>([:])
    private let server = Mutex<RPCServer?>(nil)

    /// - Parameters:
    ///   - stream: the one whose third answer comes after its fourth.
    ///   - refused: the one that is refused.
    init(swapping stream: String, refusing refused: String? = nil) {
        self.stream = stream
        self.refused = refused
    }

    /// That the one which is refused has answers to.
    private static let framesBeforeRefusal = 1000

    /// A pipeline whose frames have no answer.
    static let endless = "endless"

    /// Frames that have none.
    var held: Int { answered(Self.endless) }

    /// Frames of a stream that were answered.
    func answered(_ stream: String) -> Int { state.withLock { $0[stream] ?? 0 } }

    private static func answer(_ request: AnalyzeRequest) -> AnalyzeResponse {
        var response = AnalyzeResponse()
        response.sequence = request.frame.sequence
        return response
    }

    private func hold() { state.withLock { $0[Self.endless, default: 0] += 1 } }

    func analyze(_ request: AnalyzeRequest, context: CallContext) async throws -> AnalyzeResponse {
        guard request.pipeline == Self.endless else { return Self.answer(request) }
        hold()
        try await Task.sleep(for: .seconds(3600))
        return Self.answer(request)
    }

    func analyzeStream(
        _ requests: MessageStream, context: CallContext,
        answer: @Sendable @escaping (AnalyzeResponse) async throws -> Void
    ) async throws {
        var held: AnalyzeRequest?
        var read = 0
        for try await payload in requests {
            let request = try AnalyzeRequest.decode(payload)
            guard request.pipeline != Self.endless else {
                hold()
                continue
            }
            read += 1
            if request.frame.stream == refused, read > Self.framesBeforeRefusal {
                throw RPCError(.resourceExhausted, "there is no room")
            }
            if request.frame.stream == stream, read == 3 {
                held = request
                continue
            }
            for request in [request, held].compactMap(\.self) {
                state.withLock { $0[request.frame.stream, default: 0] += 1 }
                try await answer(Self.answer(request))
            }
            held = nil
        }
    }

    func pipelines() -> [PipelineDescription] { [] }
    func nodes() async -> [NodeState] { [] }

    /// It is gone: what has no answer by then is lost with its connections.
    func die() { server.withLock { $0 }?.drain() }

    /// Serves as long as `body` runs, which is told where, unless it dies before.
    /// - Parameter connections: that it takes from one address.
    func serve<Value: Sendable>(
        connections: Int = 256, _ body: @Sendable (Target) async throws -> Value
    ) async throws -> Value {
        let health = HealthService()
        health.set(.serving)
        health.set(.serving, for: ServiceName.vision)
        var logger = Logger(label: "test")
        logger.logLevel = .error
        var configuration = ServerConfiguration.cluster
        configuration.drainTimeout = .zero
        configuration.maxConnectionsPerAddress = connections
        let server = try await RPCServer.bind(
            host: "127.0.0.1", port: 0, configuration: configuration, services: [VisionService(self), health],
            group: MultiThreadedEventLoopGroup.singleton, logger: logger)
        self.server.withLock { $0 = server }
        let place = server.address.endpointName
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            let value = try await body(try Target(parsing: "static:///\(place)"))
            tasks.cancelAll()
            return value
        }
    }
}
