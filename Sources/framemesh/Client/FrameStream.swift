import Messages
import RPC
import Services

/// Sends frames as one stream and hands each out again with its answer: in order, exactly once, bounded in between.
struct FrameStream<Kept: Sendable>: Sendable {
    /// What the source of the stream gives.
    enum Item: Sendable {
        /// - bytes: that `keep` holds in memory until the answer comes.
        case frame(AnalyzeRequest, keep: Kept, bytes: Int)
        /// Not sent; answered with this, in its place.
        case refused(AnalyzeResponse, keep: Kept)
    }

    let client: MeshClient
    let limits: InFlightLimits

    /// - Parameters:
    ///   - next: the next frame; nil after the last. What it throws ends the run once all that was sent is answered.
    ///   - answer: takes one answer; frames wait while it does.
    /// - Throws: `Fatal` if the connection is lost, what `next` or `answer` throws, the coordinator's `RPCError` if it
    ///   refuses the stream, `CancellationError`.
    func run(
        next: @Sendable @escaping () async throws -> Item?,
        answer: (AnalyzeResponse, Kept) async throws -> Void
    ) async throws {
        let inFlight = InFlight<Kept>(limits)
        do {
            let stream = try await client.openStream()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await send(next, stream, inFlight) }
                tasks.addTask { await receive(stream, inFlight) }
                do {
                    while let answered = try await inFlight.next() {
                        try await answer(answered.response, answered.kept)
                    }
                } catch {
                    stream.cancel()
                    tasks.cancelAll()
                    throw error
                }
            }
        } catch {
            throw client.explaining(error)
        }
    }

    private func send(
        _ next: @Sendable () async throws -> Item?, _ stream: AnalyzeStreamClient, _ inFlight: InFlight<Kept>
    ) async {
        var failure: (any Error)?
        sending: while true {
            let item: Item?
            do {
                try await inFlight.room()
                item = try await next()
            } catch {
                failure = error
                break
            }
            switch item {
            case .frame(let request, let kept, let bytes):
                // Before it is sent: the answer may be here sooner than `send` returns.
                inFlight.append(request.frame.sequence, keeping: kept, bytes: bytes)
                do {
                    try await stream.send(request)
                } catch {
                    // The receiver learns why the call has ended.
                    break sending
                }
            case .refused(let response, let kept):
                inFlight.append(response.sequence, keeping: kept, bytes: 0, refusal: response)
            case nil: break sending
            }
        }
        inFlight.finish(failure)
        stream.finishSending()
    }

    private func receive(_ stream: AnalyzeStreamClient, _ inFlight: InFlight<Kept>) async {
        do {
            for try await response in stream.answers { try inFlight.resolve(response) }
            inFlight.answersEnded()
        } catch {
            inFlight.answersEnded(error)
        }
    }
}
