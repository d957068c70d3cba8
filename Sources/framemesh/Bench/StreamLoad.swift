import Bench
import Client
import Messages
import Synchronization

/// Streams to a coordinator: each with so many frames on its way, or as cameras that have a frame when its time comes.
struct StreamLoad: BenchLoad {
    enum Pace: Sendable {
        /// The next frame is sent when there is room among those on their way.
        case closed(perStream: Int)
        /// Frames a second of each camera.
        case camera(fps: Double)
    }

    let target: MeshTarget
    let options: AnalyzeOptions
    let inputs: BenchInputs
    let streams: Int
    let pace: Pace
    var factor: Double?

    var description: LoadDescription {
        switch pace {
        case .closed(let perStream): LoadDescription(.streams, callers: streams, perStream: perStream)
        case .camera(let fps):
            LoadDescription(.cameras, callers: streams, rate: fps, policy: "\(options.policy)", factor: factor)
        }
    }

    func run(_ recorder: Recorder, until stop: StopSign) async throws {
        try await target.prepare(callers: streams)
        recorder.begin()
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for index in 0..<streams {
                let first = UInt64(index * inputs.count / streams)
                // Cameras are not in step with each other.
                let share = Double(index) / Double(streams)
                tasks.addTask { try await stream(index, first, start, share, recorder, stop) }
            }
            try await tasks.waitForAll()
        }
    }

    /// A closed loop asks what there is to be had: nothing is to be left out of it.
    private var asked: AnalyzeOptions {
        var asked = options
        if case .closed = pace { asked.policy = .lossless }
        return asked
    }

    private var limits: InFlightLimits {
        switch pace {
        case .closed(let perStream): InFlightLimits(frames: perStream, bytes: .max)
        case .camera: options.policy == .lossless ? .lossless : .live
        }
    }

    private func stream(
        _ index: Int, _ first: UInt64, _ start: ContinuousClock.Instant, _ share: Double, _ recorder: Recorder,
        _ stop: StopSign
    ) async throws {
        let stream = FrameStream<ContinuousClock.Instant>(
            client: target.client(index), limits: limits, resumed: { _, again in recorder.resumed(again: again) })
        let sequence = SequenceCounter(first)
        let name = "bench-\(index)"
        var expected = first
        do {
            try await stream.run {
                let number = sequence.next()
                var planned = ContinuousClock.now
                if case .camera(let fps) = pace {
                    planned = start + .seconds((Double(number - first) + share) / fps)
                    guard await stop.wait(until: planned) else { return nil }
                } else if stop.isUp {
                    return nil
                }
                recorder.countSent()
                return .frame(asked.request(inputs.frame(number, stream: name)), keep: planned, bytes: 0)
            } answer: { response, planned in
                if response.sequence != expected { recorder.countOutOfOrder() }
                expected = response.sequence &+ 1
                var outcome = FrameOutcome(response)
                outcome.latency = .now - planned
                recorder.record(outcome)
            }
        } catch {
            guard Task.isCancelled else { throw error }
        }
    }
}
