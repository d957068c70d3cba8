import Messages
import NIOCore
import RPC
import Services
import Tracking

/// One `AnalyzeStream` call: reads frames, runs them side by side, answers in order.
struct StreamSession: Sendable {
    typealias Queue = StreamQueue<AcceptedFrame, AnalyzeResponse>

    let runner: FrameRunner
    let rules: StreamRules
    let queue: Queue

    init(runner: FrameRunner, rules: StreamRules, limits: StreamLimits) {
        self.runner = runner
        self.rules = rules
        queue = Queue(StreamWindow(policy: rules.policy, limits: limits, dropped: Self.drop))
    }

    /// - Parameters:
    ///   - first: the request that opened the stream.
    ///   - others: those that follow it.
    /// - Throws: `RPCError` if the client is gone, or sent what is no request. What was accepted before is answered.
    func run(
        first: AnalyzeRequest, others: MessageStream.AsyncIterator,
        answer: @Sendable @escaping (AnalyzeResponse) async throws -> Void
    ) async throws {
        try await withTaskCancellationHandler {
            // Discarding: a stream may last for days, and each frame is a task.
            let ending = try await withThrowingDiscardingTaskGroup { tasks -> (any Error)? in
                tasks.addTask { try await write(answer) }
                var others = others
                var request: AnalyzeRequest? = first
                var ending: (any Error)?
                while let next = request {
                    await queue.room()
                    if Task.isCancelled { break }
                    if let run = accept(next) { tasks.addTask { await work(run) } }
                    do {
                        request = try await others.next().map { try AnalyzeRequest.decode($0) }
                    } catch {
                        ending = error
                        request = nil
                    }
                }
                queue.close()
                return ending
            }
            if let ending { throw ending }
        } onCancel: {
            queue.cancel()
        }
    }

    private func accept(_ request: AnalyzeRequest) -> Queue.Window.Running? {
        let now = NIODeadline.now()
        let frame = AcceptedFrame(
            request: request, pipeline: rules.pipeline, arrival: now,
            deadline: Deadline(instant: now + TimeAmount(rules.frameDeadline)),
            waitsForRoom: rules.policy == .lossless)
        return queue.accept(frame, expires: frame.deadline.instant.uptimeNanoseconds)
    }

    /// Runs a frame, and then others as long as there are any to start.
    private func work(_ first: Queue.Window.Running) async {
        var next: Queue.Window.Running? = first
        while let run = next {
            var frame = run.work
            let answer: AnalyzeResponse
            if let error = rules.objection(to: frame.request) {
                answer = .refusing(frame.request.frame, error)
            } else {
                rules.apply(to: &frame.request)
                answer = await runner.run(frame)
            }
            next = queue.finish(run, answer)
        }
    }

    /// Answers in order; the tracker lives here, where order is.
    private func write(_ answer: (AnalyzeResponse) async throws -> Void) async throws {
        var tracking =
            rules.pipeline.tracks ? StreamTracking(reported: StreamTracking.reported(rules.minConfidence)) : nil
        while var response = await queue.nextAnswer() {
            tracking?.update(&response)
            do {
                try await answer(response)
            } catch {
                queue.cancel()
                throw error
            }
        }
    }

    @Sendable
    private static func drop(_ frame: AcceptedFrame, _ why: Queue.Window.Drop) -> AnalyzeResponse {
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
        return response
    }
}

extension AnalyzeResponse {
    static func refusing(_ frame: Frame, _ error: RPCError) -> AnalyzeResponse {
        var response = answering(frame)
        response.fail(error, policy: .lossless)
        return response
    }
}
