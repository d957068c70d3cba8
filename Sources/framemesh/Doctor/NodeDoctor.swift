import Foundation
import Messages
import RPC
import Services

/// Looks at a node.
struct NodeDoctor: Sendable {
    let doctor: Doctor
    let channel: RPCChannel

    private var deadline: Deadline { .after(doctor.timeout) }

    func look(_ findings: inout Findings) async throws {
        let description: NodeDescription
        do {
            let before = Date().timeIntervalSince1970
            let response = try await channel.unary(
                MethodPath.describe, Payload(EmptyRequest()),
                options: CallOptions(metadata: Introduction.asking, deadline: deadline))
            let after = Date().timeIntervalSince1970
            description = try NodeDescription.decode(response.payload)
            try findings.add(Doctor.version(description.build))
            if let time = Introduction.time(in: response.metadata) {
                try findings.add(Doctor.clock(time, between: (before, after)))
            }
        } catch let error as RPCError {
            return try findings.add(CallTrouble.finding("node", error))
        }
        try findings.add(
            .ok(
                "node",
                "a \(description.role) with \(Count.of(description.workers, "worker")); \(description.queueDepth) of "
                    + "\(description.queueLimit) places of its queue are taken"))
        for model in description.models { try findings.add(await probe(model.task, model.name)) }
    }

    private func probe(_ task: String, _ model: String) async -> Finding {
        let check = "model \(model)"
        do {
            let start = ContinuousClock.now
            let caller: any Caller = channel
            if task == "detection" {
                let request = DetectRequest(frame: ProbePicture.frame, model: model)
                _ = try await NodeClient(caller).detect(request, deadline: deadline)
            } else {
                let request = ClassifyRequest(frame: ProbePicture.frame, model: model)
                _ = try await NodeClient(caller).classify(request, deadline: deadline)
            }
            let milliseconds = Int(((ContinuousClock.now - start) / .milliseconds(1)).rounded())
            return .ok(check, "a picture was answered in \(milliseconds) ms")
        } catch let error as RPCError {
            return CallTrouble.finding(check, error)
        } catch {
            return .wrong(check, "\(error)", do: "Look at the node's log.")
        }
    }
}
