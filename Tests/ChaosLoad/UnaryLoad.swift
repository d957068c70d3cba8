import ChaosFrame
import Mesh
import Messages
import NIOCore
import RPC
import Services

/// `Analyze` calls at a pace.
struct UnaryLoad: Sendable {
    let channels: [BalancedChannel]
    let plan: Plan
    let pace: Pace
    let recorder: Recorder

    /// Beyond a frame's deadline, for the coordinator's own answer: it says why.
    private static let patience: TimeAmount = .milliseconds(500)

    func run(until stop: Stop) async {
        var number: UInt64 = 0
        await withDiscardingTaskGroup { calls in
            while let planned = await pace.turn(number, until: stop) {
                let channel = channels[Int(number % UInt64(channels.count))]
                calls.addTask { [number] in await call(number, planned, on: channel) }
                number += 1
            }
        }
        recorder.sent("", number)
    }

    private func call(_ number: UInt64, _ planned: NIODeadline, on channel: BalancedChannel) async {
        let (request, truth) = plan.request(stream: nil, number)
        do {
            let deadline = Deadline(instant: planned + .milliseconds(Int64(plan.deadline)) + Self.patience)
            let response = try await VisionClient(BalancedCaller(channel: channel)).analyze(request, deadline: deadline)
            recorder.add(Recorder.Line("", response, planned: planned, truth: truth))
        } catch {
            recorder.add(Recorder.Line("", number, planned: planned, error))
        }
    }
}

private struct BalancedCaller: Caller {
    let channel: BalancedChannel

    func unary(_ path: String, _ request: Payload, options: CallOptions) async throws -> UnaryResponse {
        try await channel.unary(path, request, options: options)
    }
}
