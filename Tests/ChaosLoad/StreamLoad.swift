import Client
import Messages
import NIOCore

/// One stream at a pace, sent as the clients of `framemesh` do it: it outlives its coordinator.
///
/// Should it end all the same, that is told, and another one begins where it ended.
struct StreamLoad: Sendable {
    let index: Int
    let client: MeshClient
    let plan: Plan
    let pace: Pace
    let recorder: Recorder

    /// Between two streams that broke.
    private static let pause: Duration = .milliseconds(50)

    private var name: String { plan.name(of: index) }

    func run(until stop: Stop) async {
        let frames = SentFrames()
        while !stop.hasCome {
            do {
                try await stream(frames, until: stop)
                recorder.ended(name, frames, nil)
            } catch {
                recorder.ended(name, frames, error)
                try? await Task.sleep(for: Self.pause)
            }
        }
        recorder.sent(name, frames.next)
    }

    private func stream(_ frames: SentFrames, until stop: Stop) async throws {
        let limits: InFlightLimits = plan.policy == .lossless ? .lossless : .live
        let stream = FrameStream<Void>(client: client, limits: limits) { [recorder, name] reason, again in
            recorder.resumed(name, again: again, reason)
        }
        try await stream.run { [self] in
            let number = frames.next
            guard let planned = await pace.turn(number, until: stop) else { return nil }
            let (request, truth) = plan.request(stream: index, number)
            frames.add(Sent(planned: planned, truth: truth))
            return .frame(request, keep: (), bytes: 0)
        } answer: { response, _ in
            recorder.answered(name, response, frames, object: plan.object(stream: index, response.sequence))
        }
    }
}
