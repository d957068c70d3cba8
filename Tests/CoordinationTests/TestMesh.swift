import Coordination
import Logging
import Mesh
import Messages
import NIOCore
import NIOPosix
import RPC
import Services
import Synchronization
import Testing

/// A node whose answers the test decides; everything else about it is real.
struct ScriptedNode: DetectorHandler, ClassifierHandler, FusedHandler, NodeHandler {
    /// What it knows of calls with both stages.
    enum Fusion: Sendable {
        case known, unknown
        /// Its health says that it knows them.
        case promised
    }
    var fusion = Fusion.known
    /// Calls that it says it runs at one time.
    var workers = 3

    var onDetect: @Sendable (DetectRequest) async throws -> DetectResponse = { request in
        .found([.digit(at: 10)], in: request.frame)
    }
    var onClassify: @Sendable (ClassifyRequest) async throws -> ClassifyResponse = { request in
        var response = ClassifyResponse()
        response.sequence = request.frame.sequence
        response.width = 64
        response.height = 48
        // A region is named by where it is, so that a mix-up shows.
        let names = request.regions.isEmpty ? ["whole"] : request.regions.map { "at \(Int($0.x))" }
        response.regions = names.map { [Classification(classID: 1, label: $0, confidence: 0.9)] }
        response.timing = [Timing("infer", microseconds: 20)]
        return response
    }

    /// As a real node answers: both stages, of one picture.
    var onBoth: (@Sendable (FusedRequest) async throws -> FusedResponse)?

    /// A call has come.
    var onCall: @Sendable (CallContext) -> Void = { _ in }

    func detect(_ request: DetectRequest, context: CallContext) async throws -> DetectResponse {
        onCall(context)
        return try await onDetect(request)
    }
    func classify(_ request: ClassifyRequest, context: CallContext) async throws -> ClassifyResponse {
        onCall(context)
        return try await onClassify(request)
    }
    func run(_ request: FusedRequest, context: CallContext) async throws -> FusedResponse {
        onCall(context)
        if let onBoth { return try await onBoth(request) }
        let found = try await onDetect(DetectRequest(frame: request.frame, minConfidence: request.minConfidence))
        var response = FusedResponse()
        response.sequence = found.sequence
        response.width = found.width
        response.height = found.height
        response.detections = found.detections
        let boxes = found.detections.strongest(request.boxes, from: request.boxConfidence)
        if request.boxes == 0 || !boxes.isEmpty {
            let regions = boxes.map { found.detections[$0].box }
            let classes = try await onClassify(ClassifyRequest(frame: request.frame, regions: regions)).regions
            if request.boxes == 0 { response.classes = classes.first ?? [] }
            for (box, classes) in zip(boxes, classes) { response.detections[box].classes = classes }
        }
        response.timing = [
            Timing("queue", microseconds: 1), Timing("decode", microseconds: 5),
            Timing("detect.infer", microseconds: 10), Timing("classify.infer", microseconds: 20),
        ]
        return response
    }
    func describe() -> NodeDescription {
        var description = NodeDescription()
        description.role = "detector"
        description.workers = workers
        return description
    }
}

extension Detection {
    static func digit(at x: Float, confidence: Float = 0.8) -> Detection {
        Detection(classID: 0, label: "digit", confidence: confidence, box: Box(x: x, y: 10, width: 20, height: 20))
    }
}

extension DetectResponse {
    static func found(_ detections: [Detection], in frame: Frame) -> DetectResponse {
        var response = DetectResponse()
        response.sequence = frame.sequence
        response.width = 64
        response.height = 48
        response.detections = detections
        response.timing = [Timing("infer", microseconds: 10)]
        return response
    }
}

/// A coordinator and its nodes on free ports of this process, over real sockets.
struct TestMesh {
    let client: VisionClient
    let connection: RPCConnection
    let nodes: [RunningNode]
    /// Of the coordinator.
    let address: String
    /// Tells the coordinator to drain.
    let drain: @Sendable () -> Void

    final class RunningNode: Sendable {
        let server: RPCServer
        let stop: Mutex<Task<Void, any Error>?> = Mutex(nil)
        init(_ server: RPCServer) { self.server = server }
        /// As a crash: connections end without a word. Waits until the port is free.
        func kill() async {
            let task = stop.withLock { $0 }
            task?.cancel()
            _ = try? await task?.value
        }
        var target: String { server.address.endpointName }
    }

    static let group = MultiThreadedEventLoopGroup.singleton
    static var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .error
        return logger
    }

    static func with(
        detectors: [ScriptedNode]? = [ScriptedNode()], classifiers: [ScriptedNode]? = [ScriptedNode()],
        both: [ScriptedNode]? = nil,
        budget: MemoryBudget = .shared, nodeAge: Duration? = nil,
        configure: (inout CoordinatorConfiguration) -> Void = { _ in },
        logger: Logger = Self.logger,
        _ body: (TestMesh) async throws -> Void
    ) async throws {
        func start(_ scripted: ScriptedNode) async throws -> RunningNode {
            let health = HealthService()
            for name in ["", ServiceName.detector, ServiceName.classifier] { health.set(.serving, for: name) }
            if scripted.fusion != .unknown { health.set(.serving, for: ServiceName.fused) }
            var services: [any RPCService] = [
                DetectorService(scripted), ClassifierService(scripted), NodeService(scripted), health,
            ]
            if scripted.fusion == .known { services.append(FusedService(scripted)) }
            var limits = ServerConfiguration.cluster
            limits.attachmentIdentity = "node-\(UInt64.random(in: 0...UInt64.max))"
            limits.drainTimeout = .zero
            limits.age.maxAge = nodeAge
            let server = try await RPCServer.bind(
                host: "127.0.0.1", port: 0, configuration: limits,
                services: services, group: group, logger: logger)
            let node = RunningNode(server)
            // Ended by `kill`, in any case at the end of the test.
            node.stop.withLock { $0 = Task { try await server.run() } }
            return node
        }
        var nodes: [RunningNode] = []
        /// nil: the coordinator is told of no such nodes.
        func start(_ all: [ScriptedNode]?) async throws -> Target? {
            guard let all else { return nil }
            var names: [String] = []
            for scripted in all {
                nodes.append(try await start(scripted))
                names.append(nodes.last!.target)
            }
            // A port where nobody listens, if there shall be no node.
            if names.isEmpty { names = ["127.0.0.1:1"] }
            return try Target(parsing: "static:///" + names.joined(separator: ","))
        }
        var configuration = CoordinatorConfiguration(
            detectors: try await start(detectors), classifiers: try await start(classifiers),
            nodes: try await start(both))
        // Short only where a stage shall have no node.
        let isComplete = detectors?.isEmpty != true && classifiers?.isEmpty != true && both?.isEmpty != true
        configuration.channel.readyTimeout = isComplete ? .seconds(30) : .milliseconds(700)
        configuration.channel.client.connectTimeout = .seconds(30)
        configuration.server.drainTimeout = .milliseconds(200)
        configure(&configuration)
        let coordinator = try await Coordinator.start(configuration, budget: budget, group: group, logger: logger)
        let running = Task { try await coordinator.run() }
        var patient = ClientConfiguration()
        patient.connectTimeout = .seconds(30)
        let connection = try await RPCConnection.connect(
            to: coordinator.address, configuration: patient, group: group, logger: logger)
        let client = VisionClient(connection)
        let strangers = both?.count { $0.fusion == .unknown } ?? 0
        while try await client.nodes(deadline: .after(.seconds(30))).count(where: { $0.state == "ready" })
            < nodes.count - strangers
        {
            try await Task.sleep(for: .milliseconds(2))
        }
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(
                try await body(
                    TestMesh(
                        client: client, connection: connection, nodes: nodes,
                        address: coordinator.address.endpointName, drain: { running.cancel() })))
        } catch {
            outcome = .failure(error)
        }
        connection.close()
        running.cancel()
        _ = try? await running.value
        for node in nodes { await node.kill() }
        try outcome.get()
    }

    func frame(_ sequence: UInt64 = 0, captureTime: Int64 = 0) -> Frame {
        Frame(
            stream: "s", sequence: sequence, captureTime: captureTime,
            payload: .attached(ByteBuffer(string: "pixels \(sequence)")))
    }

    func analyze(_ pipeline: String, _ change: (inout AnalyzeRequest) -> Void = { _ in }) async throws
        -> AnalyzeResponse
    {
        var request = AnalyzeRequest(frame: frame(7), pipeline: pipeline)
        change(&request)
        return try await client.analyze(request, deadline: .after(.seconds(20)))
    }

    /// Sends `count` frames, returns all answers.
    func stream(
        _ pipeline: String, count: UInt64, interval: Duration? = nil, metadata: Metadata = Metadata(),
        _ change: (inout AnalyzeRequest) -> Void = { _ in },
        each: @Sendable (AnalyzeResponse) async -> Void = { _ in }
    ) async throws -> [AnalyzeResponse] {
        let requests = (0..<count).map { index in
            var request = AnalyzeRequest(frame: frame(index, captureTime: Int64(index) * 40_000), pipeline: pipeline)
            change(&request)
            return request
        }
        let stream = AnalyzeStreamClient(
            try await connection.open(MethodPath.analyzeStream, options: CallOptions(metadata: metadata)))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for request in requests {
                    try await stream.send(request)
                    if let interval { try await Task.sleep(for: interval) }
                }
                stream.finishSending()
            }
            var answers: [AnalyzeResponse] = []
            for try await answer in stream.answers {
                answers.append(answer)
                await each(answer)
            }
            return answers
        }
    }
}
