import Mesh
import Messages
import NIOCore
import RPC
import Services
import Traces

/// The `framemesh.v1.Vision` service over the channels to nodes.
struct CoordinatorHandler: VisionHandler {
    let configuration: CoordinatorConfiguration
    private let detectors: BalancedChannel?
    private let classifiers: BalancedChannel?
    private let bothStages: BalancedChannel?
    private let drain: DrainFlag
    private let runner: FrameRunner

    /// For a node's own words in `ListNodes`.
    static let describeTimeout: Duration = .seconds(1)
    /// Why that is not there.
    private static let loss = "was lost when it was asked just now"
    private static let silence = "did not answer within \(describeTimeout / .seconds(1)) s, asked just now"

    /// - Parameter bothStages: to those that have both stages.
    init(
        configuration: CoordinatorConfiguration, detectors: BalancedChannel?, classifiers: BalancedChannel?,
        bothStages: BalancedChannel?, refusals: FusionRefusals, drain: DrainFlag, metrics: CoordinatorMetrics,
        log: FrameLog
    ) {
        self.configuration = configuration
        self.detectors = detectors
        self.classifiers = classifiers
        self.bothStages = bothStages
        self.drain = drain
        runner = FrameRunner(
            places: Places(
                detectors: detectors, classifiers: classifiers, nodes: bothStages, refusals: refusals),
            configuration: configuration, metrics: metrics, log: log)
    }

    func analyze(_ request: AnalyzeRequest, context: CallContext) async throws -> AnalyzeResponse {
        let pipeline = try configuration.pipeline(of: request)
        guard !pipeline.tracks else {
            throw RPCError(
                .invalidArgument,
                "the pipeline '\(pipeline.name)' gives ids that last through a stream; call AnalyzeStream")
        }
        let now = NIODeadline.now()
        let own = Deadline(instant: now + TimeAmount(configuration.deadline(of: request)))
        var request = request
        request.policy = .lossless
        let work = context.values[TracedWork.self]
        work?.span?.tell(request.frame, pipeline.name)
        return try await runner.answer(
            AcceptedFrame(
                request: request, pipeline: pipeline, arrival: now,
                deadline: min(own, context.deadline ?? own), waitsForRoom: false, client: context.caller,
                priority: FramePriority.told(in: context.metadata) ?? .live, work: work))
    }

    func analyzeStream(
        _ requests: MessageStream, context: CallContext,
        answer: @Sendable @escaping (AnalyzeResponse) async throws -> Void
    ) async throws {
        var iterator = requests.makeAsyncIterator()
        guard let session = try await session(&iterator, context) else { return }
        try await session.run(iterator, answer: answer)
    }

    /// Apart, so that the stream does not hold its first frame to its end.
    private func session(
        _ requests: inout MessageStream.AsyncIterator, _ context: CallContext
    ) async throws -> StreamSession? {
        guard let opening = try await requests.next() else { return nil }
        return try StreamSession(
            opening: opening, runner: runner, drain: drain, client: context.caller,
            priority: FramePriority.told(in: context.metadata),
            traces: configuration.tracer.map { StreamTraces(tracer: $0, call: context.values[TracedWork.self]) })
    }

    func pipelines() -> [PipelineDescription] { configuration.pipelines.map { $0.description(configuration) } }

    func nodes() async -> [NodeState] {
        async let detecting = states(of: detectors, role: "detector")
        async let classifying = states(of: classifiers, role: "classifier")
        async let doingBoth = states(of: bothStages, role: "node")
        return await detecting + classifying + doingBoth
    }

    private func states(of channel: BalancedChannel?, role: String) async -> [NodeState] {
        guard let channel else { return [] }
        return await withTaskGroup(of: NodeState.self) { tasks in
            for endpoint in channel.endpoints() {
                tasks.addTask {
                    var state = NodeState(endpoint, role: role)
                    if [.ready, .ejected].contains(endpoint.state) {
                        let client = NodeClient(EndpointCaller(channel: channel, name: endpoint.name))
                        do {
                            state.description = try await client.describe(
                                deadline: .after(Self.describeTimeout),
                                maxBytes: configuration.channel.maxProbeBytes)
                        } catch let error as RPCError where error.code == .deadlineExceeded || error.lostConnection {
                            // Its next probe finds that out, too.
                            if state.reason.isEmpty { state.reason = error.lostConnection ? Self.loss : Self.silence }
                        } catch {
                            // It is full, or may not tell us.
                        }
                    }
                    return state
                }
            }
            return await tasks.reduce(into: []) { $0.append($1) }.sorted { $0.address < $1.address }
        }
    }
}

extension NodeState {
    fileprivate init(_ endpoint: EndpointState, role: String) {
        self.init()
        self.role = role
        address = endpoint.name
        state = endpoint.state.rawValue
        outstanding = endpoint.outstanding
        ewma = UInt64(clamping: TimeAmount(endpoint.latency).nanoseconds / 1000)
        calls = endpoint.calls
        failures = endpoint.failures
        p99 = UInt64(clamping: TimeAmount(endpoint.p99 ?? .zero).nanoseconds / 1000)
        ejections = endpoint.ejections
        reason = endpoint.reason ?? ""
    }
}
