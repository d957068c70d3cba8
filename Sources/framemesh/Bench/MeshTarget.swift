import Bench
import Client
import Mesh
import Messages
import RPC
import Results
import Services
import Synchronization

/// Coordinators. Each caller has connections of its own, as as many clients would, to each of them.
final class MeshTarget: FrameTarget {
    private let target: Target
    private let calling: MeshClientConfiguration
    private let options: AnalyzeOptions
    /// A coordinator may go away: frames that it lost have failed, and the run goes on.
    private let survivesLoss: Bool
    private let clients = Mutex<[MeshClient]>([])

    init(_ target: Target, _ calling: MeshClientConfiguration, _ options: AnalyzeOptions, survivesLoss: Bool) {
        self.target = target
        self.calling = calling
        self.options = options
        self.survivesLoss = survivesLoss
    }

    func prepare(callers: Int) async throws {
        // The first one says what is wrong with all of them.
        while clients.withLock({ $0.count }) < callers {
            do {
                let client = try await MeshClient.connect(to: target, calling)
                clients.withLock { $0.append(client) }
            } catch var error as ClientError where error.kind == .unreachable {
                error.message += Self.note(onConnected: clients.withLock { $0.count })
                throw error
            }
        }
    }

    /// For the nodes' own words, before anything is measured.
    private static let describeTimeout: Duration = .seconds(5)

    /// With what they say of themselves; nil: nobody may ask.
    func nodes() async -> [NodeState]? {
        try? await client(0).vision.nodes(deadline: .after(Self.describeTimeout))
    }

    /// - Returns: why no frame would be answered with the nodes of this moment; nil: they would be, though maybe in part.
    static func objection(to pipeline: PipelineDescription, with nodes: [NodeState]) -> Fatal? {
        let line = PipelineLine(pipeline, nodes)
        guard line.now == .fails else { return nil }
        return objection(
            to: pipeline.name, missing: line.failingStages,
            areKnown: line.failingStages.allSatisfy { PipelineLine.isKnown($0, of: nodes) })
    }

    /// Of the coordinators that are ready, as they say them.
    func versions() async -> [String] {
        let client = client(0)
        return await withTaskGroup(of: String?.self) { tasks in
            for coordinator in client.coordinators where coordinator.state == .ready {
                let caller = client.vision(on: coordinator.name).caller
                tasks.addTask {
                    let options = CallOptions(
                        metadata: Introduction.asking, deadline: .after(Self.describeTimeout))
                    let answer = try? await caller.call(
                        MethodPath.listPipelines, Payload(EmptyRequest()), options: options)
                    return answer.flatMap { Introduction.version(in: $0.response.metadata) }
                }
            }
            var versions: [String] = []
            for await version in tasks { if let version { versions.append(version) } }
            return versions
        }
    }

    /// Where the coordinator calls its nodes.
    func addressesOfNodes() async throws -> [String] {
        try await client(0).vision.nodes(deadline: .after(Self.describeTimeout)).map(\.address)
    }

    /// That of a caller.
    func client(_ caller: Int) -> MeshClient { clients.withLock { $0[caller % $0.count] } }

    func ask(_ frame: Frame, caller: Int) async throws -> FrameOutcome {
        let client = client(caller)
        do {
            return try await Calls.timed(
                client.vision.caller, MethodPath.analyze, options.request(frame), options.deadline,
                returning: AnalyzeResponse.self
            ) { FrameOutcome($0) }
        } catch let error as RPCError {
            guard survivesLoss || !error.isOfAllCalls else { throw client.explaining(error) }
            return FrameOutcome(error)
        }
    }

    func close() { for client in clients.withLock({ $0 }) { client.close() } }
}

/// Unary calls whose parts are timed.
enum Calls {
    /// - Throws: `RPCError` of the call.
    static func timed<Response: WireCodable>(
        _ caller: any Caller, _ path: String, _ request: some WireCodable, _ deadline: Deadline,
        returning: Response.Type, outcome: (Response) -> FrameOutcome
    ) async throws -> FrameOutcome {
        let start = ContinuousClock.now
        let payload = Payload(request)
        let written = ContinuousClock.now
        let answer = try await caller.call(path, payload, options: CallOptions(deadline: deadline))
        let came = ContinuousClock.now
        let response = try Response.decode(answer.response.payload)
        var outcome = outcome(response)
        outcome.client = ClientTimes(send: written - start, wait: came - written, receive: .now - came)
        return outcome
    }
}
