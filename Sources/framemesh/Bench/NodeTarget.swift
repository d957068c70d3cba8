import Bench
import Client
import Coordination
import Logging
import Mesh
import Messages
import NIOPosix
import RPC
import Services
import Synchronization

/// One node, asked by itself, without a coordinator.
final class NodeTarget: FrameTarget {
    /// What is asked of it.
    private enum Work {
        case detect, classify
        case both(boxes: Int, topK: Int, floor: Float)
    }

    /// A frame that finds no connection has failed after so long: at once, a closed loop would have nothing but failures.
    static let pause: Duration = .milliseconds(100)

    /// The limit counts for calls of coordinators, and not for those of one node.
    static func isOfMeshes(_ limit: String) -> Bool { ofMeshes.contains(limit) }

    private static let ofMeshes = Set(MeshClientConfiguration.limits.map(\.name))
        .subtracting(EndpointConfiguration.limits.map(\.name))
        .subtracting(["reconnect-awaited", "max-unsent-attempts"])

    private let address: ServerAddress
    private let endpoint: EndpointConfiguration
    private let calls: RPCChannelConfiguration
    private let options: AnalyzeOptions
    /// The node may go away: frames that it lost have failed, and the run goes on.
    private let survivesLoss: Bool
    private let work: Work
    private let channels = Mutex<[RPCChannel]>([])

    /// - Throws: `Fatal` for a pipeline that one node cannot do alone.
    init(
        _ address: ServerAddress, _ calling: ChannelConfiguration, _ options: AnalyzeOptions, survivesLoss: Bool
    ) throws(Fatal) {
        self.address = address
        self.options = options
        self.survivesLoss = survivesLoss
        var endpoint = EndpointConfiguration()
        endpoint.client = calling.client
        endpoint.backoff = calling.backoff
        endpoint.backoff.longest = min(calling.backoff.longest, calling.reconnectWhileAwaited)
        endpoint.maxWaitingCalls = calling.maxWaitingCalls
        self.endpoint = endpoint
        var calls = RPCChannelConfiguration()
        calls.maxUnsentAttempts = calling.maxUnsentAttempts
        calls.interceptors = calling.interceptors
        self.calls = calls
        let known = Pipeline.builtIn.filter { !$0.tracks }
        guard let pipeline = known.first(where: { $0.name == options.pipeline }) else {
            throw Fatal(
                "--node can't run the pipeline '\(options.pipeline)'; it knows \(known.map(\.name).joined(separator: ", "))",
                status: .usage)
        }
        guard let classify = pipeline.classify else {
            work = .detect
            return
        }
        let topK = options.topK == 0 ? classify.topK : options.topK
        switch classify.input {
        case .frame: work = pipeline.detects ? .both(boxes: 0, topK: topK, floor: 0) : .classify
        case .boxes(let limit): work = .both(boxes: limit, topK: topK, floor: 0)
        }
    }

    private static let silent = Logger(label: "framemesh.bench") { _ in SwiftLogNoOpLogHandler() }

    func prepare(callers: Int) async throws {
        if channels.withLock({ $0.isEmpty }) { try await look() }
        while channels.withLock({ $0.count }) < callers {
            let channel = try RPCChannel(
                to: "\(address)", endpoint: endpoint, configuration: calls,
                group: MultiThreadedEventLoopGroup.singleton, logger: Self.silent)
            channels.withLock { $0.append(channel) }
            do {
                // It connects for its first call.
                _ = try await Self.describe(channel)
            } catch var error as RPCError where error.isOfConnection || error.code == .unauthenticated {
                error.message += Self.note(onConnected: channels.withLock { $0.count } - 1)
                throw error
            } catch is RPCError {
                // It need not tell us of itself.
            }
        }
    }

    /// At what is there, on a connection of its own: how that fails is to be seen, not to be made good.
    private func look() async throws {
        let connection = try await RPCConnection.connect(
            to: address, configuration: endpoint.client, group: MultiThreadedEventLoopGroup.singleton,
            logger: Self.silent)
        defer { connection.close() }
        do {
            let services = try await connection.listHealth(options: CallOptions(deadline: .after(Self.answerTimeout)))
            if let objection = Self.objection(to: Set(services.keys), at: address, service, options.pipeline) {
                throw Fatal(objection, status: .usage)
            }
        } catch let error as RPCError where !error.isOfConnection {
            // Who does not list what it has is asked for it.
        }
    }

    /// - Parameters:
    ///   - services: that it has.
    ///   - needed: what all frames ask for.
    /// - Returns: why none of them would be answered; nil: they may be.
    static func objection(
        to services: Set<String>, at address: ServerAddress, _ needed: String, _ pipeline: String
    ) -> String? {
        if services.contains(needed) { return nil }
        if services.contains(ServiceName.vision) {
            return "\(address) is a coordinator, no node: name it with --coordinator"
        }
        guard services.contains(ServiceName.node) else { return "there is no node of Framemesh at \(address)" }
        let short = needed.split(separator: ".").last.map(String.init) ?? needed
        return "the node at \(address) cannot run the pipeline '\(pipeline)': it has no service \(short)"
    }

    private var service: String {
        switch work {
        case .detect: ServiceName.detector
        case .classify: ServiceName.classifier
        case .both: ServiceName.fused
        }
    }

    /// For the node's own words, before anything is measured.
    private static let answerTimeout: Duration = .seconds(5)

    private static func describe(_ channel: RPCChannel) async throws -> NodeDescription {
        try await NodeClient(channel).describe(deadline: .after(answerTimeout))
    }

    /// nil: it does not say.
    func description() async -> NodeDescription? {
        guard let channel = channels.withLock({ $0.first }) else { return nil }
        return try? await Self.describe(channel)
    }

    func ask(_ frame: Frame, caller: Int) async throws -> FrameOutcome {
        let channel = channels.withLock { $0[caller % $0.count] }
        do {
            switch work {
            case .detect:
                let request = DetectRequest(frame: frame, minConfidence: options.minConfidence)
                return try await Calls.timed(
                    channel, MethodPath.detect, request, deadline, returning: DetectResponse.self
                ) { Self.outcome($0.timing, detections: $0.detections.count) }
            case .classify:
                let request = ClassifyRequest(frame: frame, topK: options.topK)
                return try await Calls.timed(
                    channel, MethodPath.classify, request, deadline, returning: ClassifyResponse.self
                ) { Self.outcome($0.timing) }
            case .both(let boxes, let topK, let floor):
                let request = FusedRequest(
                    frame: frame, minConfidence: options.minConfidence, topK: topK, boxes: boxes, boxConfidence: floor)
                return try await Calls.timed(
                    channel, MethodPath.fused, request, deadline, returning: FusedResponse.self
                ) {
                    Self.outcome($0.timing, detections: $0.detections.count, Self.ending($0.failures))
                }
            }
        } catch let error as RPCError {
            guard survivesLoss || !error.isOfAllCalls else { throw error }
            if error.neverStarted, error.isOfAllCalls { try? await Task.sleep(for: Self.pause) }
            return FrameOutcome(error)
        }
    }

    /// A node is told of none but the call's own.
    private var deadline: Deadline {
        options.frameDeadline == 0 ? options.deadline : .after(.milliseconds(Int64(options.frameDeadline)))
    }

    /// Of both stages in one call, with the words that coordinators have for what is missing.
    static func ending(_ failures: [StageFailure]) -> FrameOutcome.Ending {
        guard let first = failures.first else { return .ok }
        return .partial(cause: RunSummary.kind(of: "\(first.stage) is missing: \(first.message)"))
    }

    private static func outcome(
        _ timing: [Timing], detections: Int = 0, _ ending: FrameOutcome.Ending = .ok
    ) -> FrameOutcome {
        var outcome = FrameOutcome(ending, latency: .zero)
        outcome.detections = detections
        outcome.stages = timing.map { ($0.stage, $0.microseconds) }
        return outcome
    }

    func close() { for channel in channels.withLock({ $0 }) { channel.close() } }
}
