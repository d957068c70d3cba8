import AsyncHTTPClient
import Bench
import Foundation
import Gateway
import Messages
import NIOCore
import NIOHTTP1
import RPC
import Results

/// A gateway, over HTTP, as programs that know nothing of gRPC ask it. Callers share the client, which keeps a connection for
/// each call that runs.
final class GatewayTarget: FrameTarget {
    /// Of an answer.
    static let maxAnswerBytes = 16 << 20

    /// Of the question whether it is there.
    private static let patience: Duration = .seconds(10)

    private let url: String
    private let health: URL
    private let presence: GatewayPresence
    private let listing: URL
    private let offer: URL
    private let pipeline: String
    /// The gateway may go away: frames that it lost have failed, and the run goes on.
    private let survivesLoss: Bool
    private let probe: GatewayProbe
    private let token: String?
    /// Of a request, until all of its answer is here; of one that stops in its middle, from there on.
    private let timeout: Duration
    private let client: HTTPClient

    /// - Throws: `Fatal` that names what is wrong with files or the URL.
    init(_ url: URL, _ security: ClientSecurity, _ options: AnalyzeOptions, survivesLoss: Bool) throws {
        pipeline = options.pipeline
        self.survivesLoss = survivesLoss
        var target = URL(string: "/v1/images:analyze", relativeTo: url)?.absoluteURL ?? url
        var query = [URLQueryItem(name: "pipeline", value: options.pipeline)]
        if options.minConfidence > 0 {
            query.append(URLQueryItem(name: "min_confidence", value: "\(options.minConfidence)"))
        }
        if options.frameDeadline > 0 {
            query.append(URLQueryItem(name: "deadline_ms", value: "\(options.frameDeadline)"))
        }
        target.append(queryItems: query)
        timeout = options.timeout
        let health = URL(string: "/healthz", relativeTo: url)?.absoluteURL ?? url
        self.health = health
        listing = URL(string: "/v1/nodes", relativeTo: url)?.absoluteURL ?? url
        offer = URL(string: "/v1/pipelines", relativeTo: url)?.absoluteURL ?? url
        let trust = GatewayTrust(
            authorities: security.authorities, certificate: security.certificate, key: security.key,
            serverName: security.serverName)
        let probe = GatewayProbe(trust)
        self.probe = probe
        presence = GatewayPresence {
            guard case .silence(let reason) = await probe.ask(health, timeout: GatewayTarget.patience) else {
                return nil
            }
            return reason
        }
        do {
            token = try security.tokenFile.map { try String(contentsOfFile: $0, encoding: .utf8) }?
                .split(whereSeparator: \.isNewline).first.map(String.init)
            var configuration = HTTPClient.Configuration()
            configuration.redirectConfiguration = .disallow
            // In front of a gateway something may speak HTTP/2, where all callers would share one connection and its streams.
            configuration.httpVersion = .http1Only
            configuration.connectionPool.retryConnectionEstablishment = false
            // The deadline of a request is that of the answer's head: one that stops in its middle has none.
            configuration.timeout.read = TimeAmount(options.timeout)
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = BenchPlan.maxConcurrency
            self.url = try trust.place(target, &configuration).absoluteString
                .replacingOccurrences(of: "+", with: "%2B")
            client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        } catch {
            throw Fatal("--gateway \(url): \(SystemError.text(error))", status: .usage)
        }
    }

    /// Connections are made when they are needed; here it only shows whether anybody listens, lets us in, and has the pipeline.
    func prepare(callers: Int) async throws {
        // Who has answered frames may have no room for a question beside the connections that are kept.
        if presence.hasAnswered { return }
        try await look(questions: 1)
        guard case .success(let reply) = await probe.reply(to: .init(offer, token: token), timeout: Self.patience),
            let objection = Self.objection(to: pipeline, UInt(max(0, reply.status)), reply.body)
        else { return }
        throw objection
    }

    private func look(questions: Int = GatewayPresence.questions) async throws(Fatal) {
        guard let reason = await presence.silence(after: questions) else { return }
        throw Fatal("no gateway answers at \(health): \(reason)", status: .unreachable)
    }

    /// Whom a gateway answers so for its list of pipelines it answers so for each picture, too: it does not let us in, or has no
    /// coordinator. With what a command ends then.
    private static let barred: [UInt: ExitStatus] = [
        401: .failed, 403: .failed, 421: .failed, 503: .unreachable, 504: .unreachable,
    ]

    /// - Parameters:
    ///   - status, body: what it says of the pipelines that it has.
    /// - Returns: why no frame would be answered; nil: they may be.
    static func objection(to pipeline: String, _ status: UInt, _ body: Data) -> Fatal? {
        // What says so in other words stands before it.
        if let code = barred[status], let reason = detail(body) {
            return Fatal("no frame would be answered: HTTP \(status): \(reason.onOneLine)", status: code)
        }
        guard status == 200, let known = try? JSONDecoder().decode(GatewayPipelines.self, from: body),
            !known.pipelines.isEmpty
        else { return nil }
        guard let found = known.pipelines.first(where: { $0.name == pipeline }) else {
            let names = known.pipelines.map(\.name).joined(separator: ", ")
            return Fatal("unknown pipeline '\(pipeline)'; the gateway knows \(names)", status: .usage)
        }
        if found.needsStream {
            return Fatal("the pipeline \(pipeline) takes streams only, and --gateway sends pictures", status: .usage)
        }
        guard found.now == PipelineLine.Now.fails.rawValue else { return nil }
        return objection(
            to: pipeline, missing: found.failingStages,
            areKnown: Set(found.failingStages).isDisjoint(with: found.unoffered ?? []))
    }

    /// Of the gateway and of the nodes behind it, by role; nil: it does not show them to us.
    func versions() async -> [String: [String]]? {
        guard case .success(let reply) = await probe.reply(to: .init(listing, token: token), timeout: Self.patience),
            reply.status == 200, let mesh = try? JSONDecoder().decode(GatewayNodes.self, from: reply.body)
        else { return nil }
        var said = [(role: "gateway", version: mesh.version ?? "")]
        for node in mesh.coordinators.flatMap(\.nodes) { said.append((node.role, node.build ?? "")) }
        return BenchResult.byRole(said)
    }

    private struct Answer: Decodable {
        struct Picture: Decodable {
            struct Detection: Decodable {}
            var status: String
            var cause: String?
            var detections: [Detection]?
            var timing: [String: Double]?

            enum CodingKeys: String, CodingKey {
                case status, cause, detections
                case timing = "timing_ms"
            }
        }
        var results: [Picture]
    }

    private struct Problem: Decodable {
        var title: String?
        var detail: String?
    }

    /// There was no room.
    private static let refusals: Set<UInt> = [429, 503]

    func ask(_ frame: Frame, caller: Int) async throws -> FrameOutcome {
        let start = ContinuousClock.now
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/octet-stream")
        if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        request.body = .bytes(frame.payload.bytes)
        let written = ContinuousClock.now
        let deadline = NIODeadline.now() + TimeAmount(timeout)
        do {
            let response = try await client.execute(request, deadline: deadline)
            let came = ContinuousClock.now
            presence.sawAnswer()
            // What comes a byte now and then never stops. No timer for each frame: a run has thousands of them a second.
            let parts = response.body.map { part in
                guard .now() < deadline else { throw HTTPClientError.deadlineExceeded }
                return part
            }
            let body = Data(try await parts.collect(upTo: Self.maxAnswerBytes).readableBytesView)
            var outcome = Self.outcome(UInt(response.status.code), body)
            outcome.client = ClientTimes(send: written - start, wait: came - written, receive: .now - came)
            return outcome
        } catch {
            if Task.isCancelled { throw CancellationError() }
            return try await outcome(error)
        }
    }

    /// Of a frame that the client brought no answer for.
    /// - Throws: `Fatal` if no other would have one.
    private func outcome(_ error: any Error) async throws -> FrameOutcome {
        let kind = error as? HTTPClientError
        // It waited for one of the client's own connections, and was never sent.
        if kind == .getConnectionFromPoolTimeout {
            return FrameOutcome(.refused(cause: Self.noConnection), latency: .zero)
        }
        if kind != .deadlineExceeded {
            // Where nobody is there any more, a frame that fails at once would be followed by the next.
            if !survivesLoss { try await look() }
            try? await Task.sleep(for: NodeTarget.pause)
        }
        let cause = RunSummary.kind(of: GatewayProbe.Silence(error).reason)
        return FrameOutcome(.failed(cause: cause), latency: .zero)
    }

    /// What AsyncHTTPClient lets a request wait.
    private static let noConnection =
        "none of the \(BenchPlan.maxConcurrency) connections of bench became free within 10 s"

    /// Of an answer that is a problem.
    private static func detail(_ body: Data) -> String? {
        let problem = try? JSONDecoder().decode(Problem.self, from: body)
        return problem?.detail ?? problem?.title
    }

    static func outcome(_ status: UInt, _ body: Data) -> FrameOutcome {
        guard status == 200 else {
            let cause = "HTTP \(status)" + detail(body).map { ": \(RunSummary.kind(of: $0))" }.orEmpty
            return FrameOutcome(
                refusals.contains(status) ? .refused(cause: cause) : .failed(cause: cause), latency: .zero)
        }
        guard let picture = (try? JSONDecoder().decode(Answer.self, from: body))?.results.first else {
            return FrameOutcome(.failed(cause: "an answer that is none of a gateway's"), latency: .zero)
        }
        let ending: FrameOutcome.Ending =
            switch picture.status {
            case "ok": .ok
            case "partial": .partial(cause: RunSummary.kind(of: picture.cause ?? ""))
            default: .failed(cause: RunSummary.kind(of: picture.cause ?? picture.status))
            }
        var outcome = FrameOutcome(ending, latency: .zero)
        outcome.detections = picture.detections?.count ?? 0
        outcome.stages = (picture.timing ?? [:]).sorted { $0.key < $1.key }.compactMap { name, ms in
            ms.isFinite && ms >= 0 ? (name, UInt64(min((ms * 1000).rounded(), 0x1p53))) : nil
        }
        return outcome
    }

    func close() async { try? await client.shutdown() }
}

extension String? {
    fileprivate var orEmpty: String { self ?? "" }
}
