package import Messages
package import RPC
package import Services

/// Sends frames as one stream and hands each out again with its answer: in order, exactly once, bounded in between.
///
/// A coordinator that is lost costs a connection: the stream goes on at another one, or at the same when it is back.
/// Frames without an answer are sent again, with the next `epoch`; what the lost one might still have said of them is
/// not heard.
package struct FrameStream<Kept: Sendable>: Sendable {
    /// What the source of the stream gives.
    package enum Item: Sendable {
        /// - bytes: that `keep` holds in memory beside the frame until the answer comes.
        case frame(AnalyzeRequest, keep: Kept, bytes: Int)
        /// Not sent; answered with this, in its place.
        case refused(AnalyzeResponse, keep: Kept)
    }

    let client: MeshClient
    let limits: InFlightLimits
    /// Of the first connection; each that is lost adds one.
    let firstEpoch: UInt32
    /// Told of each lost connection: why, and how many frames are sent again.
    let resumed: @Sendable (_ reason: String, _ again: Int) -> Void
    /// Nothing is worth a long wait any more: another coordinator is looked for as long as for a unary call.
    let isEnding: @Sendable () -> Bool

    /// - Parameter epoch: more than 0 for a stream that goes on where another one ended.
    package init(
        client: MeshClient, limits: InFlightLimits, epoch: UInt32 = 0,
        resumed: @escaping @Sendable (_ reason: String, _ again: Int) -> Void = { _, _ in },
        isEnding: @escaping @Sendable () -> Bool = { false }
    ) {
        self.client = client
        self.limits = limits
        firstEpoch = epoch
        self.resumed = resumed
        self.isEnding = isEnding
    }

    /// - Parameters:
    ///   - next: the next frame; nil after the last. What it throws ends the run once all that was sent is answered.
    ///   - answer: takes one answer; frames wait while it does.
    /// - Throws: `ClientError` if no coordinator is found again in time, what `next` or `answer` throws, the
    ///   coordinator's `RPCError` if it refuses the stream, `CancellationError`.
    package func run(
        next: @Sendable @escaping () async throws -> Item?,
        answer: (AnalyzeResponse, Kept) async throws -> Void
    ) async throws {
        let inFlight = InFlight<Kept>(limits)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await read(next, into: inFlight) }
            tasks.addTask { await carry(inFlight) }
            do {
                while let answered = try await inFlight.next() {
                    try await answer(answered.response, answered.kept)
                }
            } catch {
                tasks.cancelAll()
                throw error
            }
        }
    }

    private func read(_ next: @Sendable () async throws -> Item?, into inFlight: InFlight<Kept>) async {
        do {
            while true {
                try await inFlight.room()
                switch try await next() {
                case .frame(let request, let kept, let bytes): inFlight.append(request, keeping: kept, bytes: bytes)
                case .refused(let response, let kept): inFlight.append(refused: response, keeping: kept)
                case nil: return inFlight.finish()
                }
                try await inFlight.sent()
            }
        } catch {
            inFlight.finish(error)
        }
    }

    /// One connection after the other, until all is answered.
    private func carry(_ inFlight: InFlight<Kept>) async {
        var resumption = Resumption(timeout: client.resumeTimeout)
        while true {
            let begun = inFlight.rewind()
            if resumption.isNews { resumed(resumption.reason, begun.again) }
            if isEnding() { resumption.hurry(client.readyTimeout) }
            let failure: any Error
            do {
                let stream = try await client.openStream(within: resumption.patience(now: .now))
                resumption.opened(at: .now)
                try await carry(
                    inFlight, on: begun.connection, stream,
                    epoch: UInt32(clamping: Int(firstEpoch) + resumption.losses))
                return inFlight.answersEnded()
            } catch {
                failure = error
            }
            // All was answered; nobody asks how the call ended.
            if inFlight.isDone { return inFlight.answersEnded() }
            if isEnding() { resumption.hurry(client.readyTimeout) }
            guard !Task.isCancelled, let wait = resumption.wait(after: failure, answered: inFlight.answered, now: .now),
                (try? await Task.sleep(for: wait)) != nil
            else { return inFlight.answersEnded(client.explaining(failure, lost: resumption.lasting(now: .now))) }
        }
    }

    /// - Throws: why the connection is of no use any more.
    private func carry(
        _ inFlight: InFlight<Kept>, on connection: Int, _ stream: AnalyzeStreamClient, epoch: UInt32
    ) async throws {
        let failure: (any Error)? = await withTaskCancellationHandler {
            // The sender is not cancelled with its connection: what wakes it wakes the next one too.
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await send(inFlight, on: connection, epoch, stream) }
                defer { inFlight.lost() }
                do {
                    for try await response in stream.answers { try inFlight.resolve(response) }
                    return nil
                } catch {
                    stream.cancel()
                    return error
                }
            }
        } onCancel: {
            stream.cancel()
        }
        if let failure { throw failure }
    }

    private func send(
        _ inFlight: InFlight<Kept>, on connection: Int, _ epoch: UInt32, _ stream: AnalyzeStreamClient
    ) async {
        // Why the call has ended is told to the receiver.
        do {
            while var request = try await inFlight.unsent(on: connection) {
                request.epoch = epoch
                try await stream.send(request)
                inFlight.wasSent(on: connection)
            }
            stream.finishSending()
        } catch {}
    }
}
