import ChaosFrame
import Mesh
import Messages
import NIOCore
import RPC
import Services
import Synchronization

/// One `AnalyzeStream` after the other, at a pace: a new one begins where the last one broke.
struct StreamLoad: Sendable {
    let index: Int
    let channel: BalancedChannel
    let plan: Plan
    let pace: Pace
    let recorder: Recorder
    /// After so many answers none is read any more, until the load stops. nil: all are.
    let stallAfter: Int?

    /// Between two streams that broke.
    private static let pause: Duration = .milliseconds(50)

    private var name: String { plan.name(of: index) }

    func run(until stop: Stop) async {
        var next: UInt64 = 0
        while !stop.hasCome {
            let unanswered = Unanswered()
            let (reached, error) = await stream(from: next, unanswered, until: stop)
            next = reached
            let lost = unanswered.takeAll()
            if error != nil || !lost.isEmpty { recorder.broken(name, unanswered: lost.count, error) }
            for (number, sent) in lost {
                recorder.add(
                    Recorder.Line(
                        stream: name, number: number, planned: sent.planned, result: "lost", isTrue: true))
            }
            if error != nil { try? await Task.sleep(for: Self.pause) }
        }
        recorder.sent(name, next)
    }

    /// One call, to its end.
    /// - Returns: the number of the next frame to send.
    private func stream(
        from first: UInt64, _ unanswered: Unanswered, until stop: Stop
    ) async -> (next: UInt64, error: (any Error)?) {
        let call: AnalyzeStreamClient
        do {
            call = AnalyzeStreamClient(try await channel.open(MethodPath.analyzeStream))
        } catch {
            return (first, error)
        }
        return await withTaskGroup(of: (any Error)?.self) { tasks in
            let next = Mutex(first)
            let over = Stop(at: .distantFuture)
            tasks.addTask { [self] in
                defer { over.come() }
                return await receive(call, unanswered, until: stop)
            }
            await send(call, from: first, unanswered, until: stop, over) { number in next.withLock { $0 = number } }
            call.finishSending()
            let error = await tasks.next() ?? nil
            return (next.withLock { $0 }, error)
        }
    }

    /// - Parameters:
    ///   - over: the call has ended.
    ///   - reached: told the number of the next frame.
    private func send(
        _ call: AnalyzeStreamClient, from first: UInt64, _ unanswered: Unanswered, until stop: Stop, _ over: Stop,
        reached: (UInt64) -> Void
    ) async {
        var number = first
        while !over.hasCome, let planned = await pace.turn(number, until: stop) {
            // Its end may have come during the wait.
            if over.hasCome { return }
            let (request, truth) = plan.request(stream: index, number)
            unanswered.add(number, Sent(planned: planned, truth: truth))
            number += 1
            reached(number)
            // The receiver learns why.
            do { try await call.send(request) } catch { return }
        }
    }

    private func receive(
        _ call: AnalyzeStreamClient, _ unanswered: Unanswered, until stop: Stop
    ) async -> (any Error)? {
        var answers = 0
        do {
            for try await response in call.answers {
                // What was not sent, or was answered before, is told too: with no truth it cannot be true.
                let sent = unanswered.take(response.sequence) ?? Sent(planned: .now(), truth: "")
                recorder.add(Recorder.Line(name, response, planned: sent.planned, truth: sent.truth))
                answers += 1
                if answers == stallAfter {
                    while !stop.hasCome { try await Task.sleep(for: .milliseconds(100)) }
                }
            }
            return nil
        } catch {
            return error
        }
    }
}
