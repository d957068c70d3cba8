import Foundation
import Messages
import RPC
import Results
import Services

/// Looks at a coordinator and, through its eyes, at its nodes.
struct MeshDoctor: Sendable {
    let doctor: Doctor
    let channel: RPCChannel

    private var deadline: Deadline { .after(doctor.timeout) }

    func look(_ findings: inout Findings) async throws {
        let pipelines: [PipelineDescription]
        let nodes: [NodeState]
        do {
            pipelines = try await introduction(&findings)
            nodes = try await VisionClient(channel).nodes(deadline: deadline)
        } catch let error as RPCError {
            return try findings.add(CallTrouble.finding("mesh", error))
        }
        try look(at: nodes, &findings)
        let heard = nodes.filter { !Self.isUnheard($0) }
        try models(pipelines, heard, &findings)
        let lines = pipelines.map { PipelineLine($0, heard) }
        var gap = PipelineGap()
        for line in lines {
            let pipeline = line.pipeline
            if gap.takes(pipeline.name, missing: line.missing, unoffered: pipeline.unoffered) { continue }
            try findings.add(await probe(pipeline))
        }
        for finding in gap.findings(known: Set(nodes.map(\.role))) { try findings.add(finding) }
    }

    private func introduction(_ findings: inout Findings) async throws -> [PipelineDescription] {
        let before = Date().timeIntervalSince1970
        let response = try await channel.unary(
            MethodPath.listPipelines, Payload(EmptyRequest()),
            options: CallOptions(metadata: Introduction.asking, deadline: deadline))
        let after = Date().timeIntervalSince1970
        try findings.add(Doctor.version(Introduction.version(in: response.metadata)))
        if let time = Introduction.time(in: response.metadata) {
            try findings.add(Doctor.clock(time, between: (before, after)))
        }
        return try ListPipelinesResponse.decode(response.payload).pipelines
    }

    // ---- nodes ----

    /// A coordinator asks each node that it takes for ready how it is, before it tells us of it.
    private static func isUnheard(_ node: NodeState) -> Bool { node.state == "ready" && !node.reason.isEmpty }

    private func look(at nodes: [NodeState], _ findings: inout Findings) throws {
        if nodes.isEmpty { try findings.add(.withoutNodes("the coordinator")) }
        for node in nodes {
            let name = "\(node.role) \(node.address)"
            guard node.state == "ready" else {
                let reason = node.reason.isEmpty ? "" : ": \(node.reason)"
                try findings.add(.wrong("nodes", "\(name) is \(node.state)\(reason)", do: Self.advice(node)))
                continue
            }
            guard !Self.isUnheard(node) else {
                try findings.add(.unheard(name, node.reason))
                continue
            }
            let models = node.description?.models.map(\.name).joined(separator: ", ") ?? "no models that it tells"
            try findings.add(.ok("nodes", "\(name) is ready, with \(models)"))
            if let build = node.description?.build, build != Framemesh.version {
                try findings.add(.note("nodes", "\(name) is version \(build), ours is \(Framemesh.version)"))
            }
        }
    }

    private static func advice(_ node: NodeState) -> String {
        switch node.state {
        case "connecting": "Is it running? From where the coordinator is: framemesh doctor \(node.address)"
        case "unhealthy": "It is starting, or ending: look at its log."
        case "wrong service":
            "Another program, or another role or mesh, has its address: look at the coordinator's targets."
        case "silent": Finding.ofSilence
        case "ejected": "Its calls failed: look at its log, it says why."
        default: "Look at its log."
        }
    }

    /// Models that are asked for, and that no node has.
    private func models(
        _ pipelines: [PipelineDescription], _ nodes: [NodeState], _ findings: inout Findings
    ) throws {
        for (role, asked) in [
            ("detector", Set(pipelines.map(\.detectModel))), ("classifier", Set(pipelines.map(\.classifyModel))),
        ] {
            let able = nodes.filter { PipelineLine.does($0, role) && $0.state == "ready" }
            for model in asked.subtracting([""]).sorted() where !able.isEmpty {
                let without = able.filter { node in !(node.description?.models.contains { $0.name == model } ?? true) }
                if without.isEmpty { continue }
                try findings.add(
                    .wrong(
                        "nodes",
                        "\(without.map(\.address).joined(separator: ", ")): without the model '\(model)' that is asked for",
                        do:
                            "Start the \(role) with --model \(model), or the coordinator with the name of a model that it has."
                    ))
            }
        }
    }

    // ---- pictures ----

    /// - Parameter pipeline: for each stage of which a node is ready.
    private func probe(_ pipeline: PipelineDescription) async -> Finding {
        let name = pipeline.name
        let check = "pipeline \(name)"
        let request = AnalyzeRequest(
            frame: ProbePicture.frame, pipeline: name, frameDeadline: UInt32(doctor.timeout / .milliseconds(1)))
        do {
            let start = ContinuousClock.now
            let answer = try await pipeline.needsStream ? inStream(request) : alone(request)
            let milliseconds = Int(((ContinuousClock.now - start) / .milliseconds(1)).rounded())
            switch answer.status {
            case .ok: return .ok(check, "a picture was answered in \(milliseconds) ms")
            case .partial:
                return .wrong(
                    check, "a picture was answered without \(answer.missing.joined(separator: ", ")): \(answer.cause)",
                    do: "Its nodes are ready, and did not do it: look at their logs and at their load.")
            default:
                return CallTrouble.finding(check, RPCError(StatusCode(rawValue: answer.code), answer.cause))
            }
        } catch let error as RPCError {
            return CallTrouble.finding(check, error)
        } catch {
            return .wrong(check, "\(error)", do: "Look at the coordinator's log.")
        }
    }

    private func alone(_ request: AnalyzeRequest) async throws -> AnalyzeResponse {
        try await VisionClient(channel).analyze(request, deadline: deadline)
    }

    private func inStream(_ request: AnalyzeRequest) async throws -> AnalyzeResponse {
        let call = AnalyzeStreamClient(
            try await channel.open(MethodPath.analyzeStream, options: CallOptions(deadline: deadline)))
        defer { call.cancel() }
        try await call.send(request)
        call.finishSending()
        for try await answer in call.answers { return answer }
        throw RPCError(.internal, "the stream has ended without an answer")
    }
}
