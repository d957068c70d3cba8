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
            // The first one that fails ends all: without it there would be fewer streams than is said.
            for try await _ in tasks {}
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

    /// Between the times at which two frames of a stream were captured.
    private var interval: Duration {
        if case .camera(let fps) = pace { .seconds(1 / fps) } else { BenchInputs.usualInterval }
    }

    private struct Sent: Sendable {
        var planned: ContinuousClock.Instant
        /// How long after its time it was sent.
        var delay: Duration
        var ticket: Recorder.Ticket
    }

    /// When a camera has its frame of this number, from 0.
    private static func time(
        of number: UInt64, _ start: ContinuousClock.Instant, _ share: Double, _ fps: Double
    ) -> ContinuousClock.Instant {
        start + .seconds((Double(number) + share) / fps)
    }

    /// Of frames that were due before `end` and not sent.
    private static func ages(
        from number: UInt64, _ start: ContinuousClock.Instant, _ share: Double, _ fps: Double,
        end: ContinuousClock.Instant
    ) -> LatencyHistogram {
        var (number, ages) = (number, LatencyHistogram())
        while ages.count < OpenLoad.maxUnsent {
            let planned = time(of: number, start, share, fps)
            guard planned < end else { break }
            ages.record(end - planned)
            number += 1
        }
        return ages
    }

    /// One stream. At its first answer out of order it ends, and nothing is sent in its place.
    private func stream(
        _ index: Int, _ first: UInt64, _ start: ContinuousClock.Instant, _ share: Double, _ recorder: Recorder,
        _ stop: StopSign
    ) async throws {
        let stream = FrameStream<Sent>(
            client: target.client(index), limits: limits, resumed: { _, again in recorder.resumed(again: again) },
            isEnding: { stop.isUp })
        let sequence = SequenceCounter(first)
        let name = "bench-\(index)"
        // Frames that were sent. The next one may wait for room when all is given up, and is not asked for then.
        let sentFrames = Mutex<UInt64>(0)
        func tellUnsent() {
            guard case .camera(let fps) = pace else { return }
            let number = sentFrames.withLock { $0 }
            recorder.unsent { Self.ages(from: number, start, share, fps, end: $0) }
        }
        do {
            try await stream.run {
                let number = sequence.next()
                var planned = ContinuousClock.now
                if case .camera(let fps) = pace {
                    planned = Self.time(of: number - first, start, share, fps)
                    guard await stop.wait(until: planned) else { return nil }
                } else if stop.isUp {
                    return nil
                }
                let sent = Sent(
                    planned: planned, delay: max(.zero, .now - planned), ticket: recorder.sent(planned: planned))
                sentFrames.withLock { $0 += 1 }
                let frame = inputs.frame(number, stream: name, interval: interval)
                return .frame(asked.request(frame), keep: sent, bytes: 0)
            } answer: { response, sent in
                var outcome = FrameOutcome(response)
                outcome.latency = .now - sent.planned
                outcome.delay = sent.delay
                recorder.ended(sent.ticket, outcome)
            }
            tellUnsent()
        } catch let error as ClientError where error.kind == .outOfOrder {
            // Whose answers may be anybody's is no stream any more. What it had on its way stays without an answer.
            recorder.countOutOfOrder()
            await stop.waitUntilUp()
        } catch {
            // Also of a coordinator that stays lost: its cameras had their frames all the same.
            tellUnsent()
            guard Task.isCancelled else { throw error }
        }
    }
}
