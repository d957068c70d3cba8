import Messages
import Metrics
import NIOCore
import RPC
import Services
import Traces
import Tracking

/// One `AnalyzeStream` call: reads frames, runs them side by side, answers in order.
struct StreamSession: Sendable {
    typealias Queue = StreamQueue<AcceptedFrame, Answer>

    /// What a frame is answered with.
    struct Answer: Sendable {
        var response: AnalyzeResponse
        /// When it was there. From then on it waits for those of the frames before it.
        let made = NIODeadline.now()
        /// Ends when the client has taken it; nil: the frame is not traced.
        var span: MeshSpan?
    }

    let runner: FrameRunner
    let rules: StreamRules
    let queue: Queue
    let drain: DrainFlag
    let client: CallOrigin
    let priority: FramePriority
    /// nil: nobody wants them.
    let traces: StreamTraces?

    /// Fixes the rules of a stream by the request that opened it, and accepts that.
    /// - Parameter priority: nil: the one that its policy has.
    /// - Throws: `RPCError` if it is no request, or asks for what cannot be.
    init(
        opening payload: Payload, runner: FrameRunner, drain: DrainFlag, client: CallOrigin,
        priority: FramePriority? = nil, traces: StreamTraces? = nil
    ) throws(RPCError) {
        let first = try AnalyzeRequest.decode(payload)
        self.runner = runner
        self.drain = drain
        self.client = client
        self.traces = traces
        rules = try StreamRules(first, configuration: runner.configuration)
        self.priority = priority ?? rules.policy.priority
        queue = Queue(
            StreamWindow(policy: rules.policy, limits: runner.configuration.limits, dropped: Self.drop),
            isBusy: { [places = runner.places, pipeline = rules.pipeline] in places.areBusy(for: pipeline) })
        _ = accept(first, in: payload)
    }

    /// - Parameter requests: those that follow the ones accepted before.
    /// - Throws: `RPCError` if the client is gone, or sent what is no request. What was accepted before is answered.
    func run(
        _ requests: MessageStream.AsyncIterator,
        answer: @Sendable @escaping (AnalyzeResponse) async throws -> Void
    ) async throws {
        defer { abandon() }
        try await withTaskCancellationHandler {
            // Discarding: a stream may last for days, and each frame is a task.
            let ending = try await withThrowingDiscardingTaskGroup { tasks -> (any Error)? in
                tasks.addTask { try await write(answer) }
                // For the frame that opened the stream.
                tasks.addTask { await work() }
                // Whatever ends the requests, what was accepted is answered.
                defer { queue.close() }
                var requests = requests
                do {
                    while true {
                        await queue.room()
                        guard !Task.isCancelled, let next = try await requests.next() else { return nil }
                        // What was accepted is answered before the call ends; this frame never was.
                        if drain.hasBegun { throw RPCError(.unavailable, "the coordinator is shutting down") }
                        if try accept(next) { tasks.addTask { await work() } }
                    }
                } catch {
                    return error
                }
            }
            if let ending { throw ending }
        } onCancel: {
            queue.cancel()
        }
    }

    /// - Returns: whether a new task shall `work`.
    /// - Throws: `RPCError` if it is no request.
    private func accept(_ payload: Payload) throws(RPCError) -> Bool {
        accept(try AnalyzeRequest.decode(payload), in: payload)
    }

    private func accept(_ request: AnalyzeRequest, in payload: Payload) -> Bool {
        let now = NIODeadline.now()
        var frame = AcceptedFrame(
            request: request, pipeline: rules.pipeline, arrival: now,
            deadline: Deadline(instant: now + TimeAmount(rules.frameDeadline)),
            waitsForRoom: rules.policy == .lossless, client: client, priority: priority,
            received: payload)
        frame.work = traces?.begin(request.frame, rules.pipeline.name)
        return queue.accept(frame, expires: frame.deadline.instant.uptimeNanoseconds)
    }

    /// Runs a frame, and then others as long as there are any to start.
    private func work() async {
        var next = queue.takeStarted()
        while let run = next {
            var frame = run.work
            let answer: AnalyzeResponse
            if let error = rules.objection(to: frame.request) {
                answer = .refusing(frame, error)
            } else {
                rules.apply(to: &frame.request)
                answer = await runner.run(frame)
            }
            // Cancelled with its client, it has not failed: nobody shall be answered that.
            if Task.isCancelled { queue.cancel() }
            next = queue.finish(run, Answer(response: answer, span: frame.work?.span))
        }
    }

    /// Answers in order; the tracker lives here, where order is.
    private func write(_ answer: (AnalyzeResponse) async throws -> Void) async throws {
        var tracking =
            rules.pipeline.tracks ? StreamTracking(reported: StreamTracking.reported(rules.minConfidence)) : nil
        while let next = await queue.nextAnswer() {
            var response = next.response
            response.timing.append(Timing("coordinator.turn", NIODeadline.now() - next.made))
            if tracking != nil {
                let start = NIODeadline.now()
                tracking?.update(&response)
                runner.metrics.track.recordNanoseconds((NIODeadline.now() - start).nanoseconds)
            }
            runner.metrics.answered(response, pipeline: rules.pipeline.name, after: response.total)
            response.epoch = rules.epoch
            do {
                let start = NIODeadline.now()
                try await answer(response)
                let sent = NIODeadline.now() - start
                runner.metrics.send.recordNanoseconds(sent.nanoseconds)
                next.span?.end(response, send: .nanoseconds(sent.nanoseconds))
            } catch {
                queue.cancel()
                next.span?.abandon()
                throw error
            }
        }
    }

    /// Nobody takes the answers that are left.
    private func abandon() {
        let left = queue.abandon()
        let spans = left.waiting.map { $0.work?.span } + left.answers.map(\.span)
        for span in spans { span?.abandon() }
        runner.metrics.abandoned(spans.count)
    }

    @Sendable
    private static func drop(_ frame: AcceptedFrame, _ why: Queue.Window.Drop) -> Answer {
        var response = AnalyzeResponse.answering(frame.request.frame)
        response.status = .dropped
        switch why {
        case .replaced(let by):
            response.code = StatusCode.aborted.rawValue
            response.cause = "replaced by the newer frame \(by.request.frame.sequence)"
        case .expired:
            response.code = StatusCode.deadlineExceeded.rawValue
            let limit = frame.deadline.instant - frame.arrival
            response.cause = "waited longer than its deadline of \(limit.nanoseconds / 1_000_000) ms"
        }
        response.timing.append(Timing("total", NIODeadline.now() - frame.arrival))
        return Answer(response: response, span: frame.work?.span)
    }
}

extension StreamPolicy {
    /// Frames of a stream that nobody is to miss wait; where the newest one counts, somebody looks.
    fileprivate var priority: FramePriority { self == .lossless ? .batch : .live }
}

extension AnalyzeResponse {
    /// From the arrival of its frame to its own being there.
    fileprivate var total: TimeAmount {
        .microseconds(Int64(clamping: timing.last { $0.stage == "total" }?.microseconds ?? 0))
    }

    fileprivate static func refusing(_ frame: AcceptedFrame, _ error: RPCError) -> AnalyzeResponse {
        var response = answering(frame.request.frame)
        response.fail(error, policy: .lossless)
        response.timing.append(Timing("total", NIODeadline.now() - frame.arrival))
        return response
    }
}
