import Bench
import Client
import Coordination
import Logging
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

    private let address: ServerAddress
    private let configuration: ClientConfiguration
    private let interceptors: [any ClientInterceptor]
    private let options: AnalyzeOptions
    private let work: Work
    private let channels = Mutex<[RPCChannel]>([])

    /// - Throws: `Fatal` for a pipeline that one node cannot do alone.
    init(
        _ address: ServerAddress, _ configuration: ClientConfiguration, _ interceptors: [any ClientInterceptor],
        _ options: AnalyzeOptions
    ) throws(Fatal) {
        self.address = address
        self.configuration = configuration
        self.interceptors = interceptors
        self.options = options
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
        while channels.withLock({ $0.count }) < callers {
            let connection = try await RPCConnection.connect(
                to: address, configuration: configuration, group: MultiThreadedEventLoopGroup.singleton,
                logger: Self.silent)
            var calls = RPCChannelConfiguration()
            calls.interceptors = interceptors
            let channel = RPCChannel(OneConnection(connection, name: "\(address)"), configuration: calls)
            channels.withLock { $0.append(channel) }
        }
    }

    /// For the node's own words, before anything is measured.
    private static let describeTimeout: Duration = .seconds(5)

    /// nil: it does not say.
    func description() async -> NodeDescription? {
        guard let channel = channels.withLock({ $0.first }) else { return nil }
        return try? await NodeClient(channel).describe(deadline: .after(Self.describeTimeout))
    }

    func ask(_ frame: Frame, caller: Int) async throws -> FrameOutcome {
        let channel = channels.withLock { $0[caller % $0.count] }
        do {
            switch work {
            case .detect:
                let request = DetectRequest(frame: frame, minConfidence: options.minConfidence)
                return try await Calls.timed(
                    channel, MethodPath.detect, request, options.deadline, returning: DetectResponse.self
                ) { Self.outcome($0.timing, detections: $0.detections.count) }
            case .classify:
                let request = ClassifyRequest(frame: frame, topK: options.topK)
                return try await Calls.timed(
                    channel, MethodPath.classify, request, options.deadline, returning: ClassifyResponse.self
                ) { Self.outcome($0.timing) }
            case .both(let boxes, let topK, let floor):
                let request = FusedRequest(
                    frame: frame, minConfidence: options.minConfidence, topK: topK, boxes: boxes, boxConfidence: floor)
                return try await Calls.timed(
                    channel, MethodPath.fused, request, options.deadline, returning: FusedResponse.self
                ) {
                    Self.outcome($0.timing, detections: $0.detections.count, isPartial: !$0.failures.isEmpty)
                }
            }
        } catch let error as RPCError {
            guard !error.isOfConnection else { throw error }
            return FrameOutcome(error)
        }
    }

    private static func outcome(_ timing: [Timing], detections: Int = 0, isPartial: Bool = false) -> FrameOutcome {
        var outcome = FrameOutcome(isPartial ? .partial : .ok, latency: .zero)
        outcome.detections = detections
        outcome.stages = timing.map { ($0.stage, $0.microseconds) }
        return outcome
    }

    func close() { for channel in channels.withLock({ $0 }) { channel.close() } }
}
