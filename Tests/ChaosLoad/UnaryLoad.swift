import Client
import Messages
import NIOCore
import RPC
import Services

/// `Analyze` calls at a pace.
struct UnaryLoad: Sendable {
    let clients: [MeshClient]
    let plan: Plan
    let pace: Pace
    let recorder: Recorder

    /// Beyond a frame's deadline, for the coordinator's own answer: it says why.
    private static let patience: TimeAmount = .milliseconds(500)

    func run(until stop: Stop) async {
        var number: UInt64 = 0
        await withDiscardingTaskGroup { calls in
            while let planned = await pace.turn(number, until: stop) {
                let client = clients[Int(number % UInt64(clients.count))]
                calls.addTask { [number] in await call(number, planned, to: client) }
                number += 1
            }
        }
        recorder.sent("", number)
    }

    private func call(_ number: UInt64, _ planned: NIODeadline, to client: MeshClient) async {
        let (request, truth) = plan.request(stream: nil, number)
        do {
            let deadline = Deadline(instant: planned + .milliseconds(Int64(plan.deadline)) + Self.patience)
            let response = try await client.vision.analyze(request, deadline: deadline)
            recorder.add(Recorder.Line("", response, planned: planned, truth: truth))
        } catch {
            recorder.add(Recorder.Line("", number, planned: planned, error))
        }
    }
}
