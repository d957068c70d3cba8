/// A streaming call as its client sees it. Dropping the last reference does not cancel; `cancel()` does, and so does
/// cancelling the task that waits for the next response.
public struct ClientCall: Sendable {
    enum Kind {
        case direct(StreamAttempt)
        case attempted(any AttemptedCall)
    }

    let kind: Kind

    /// Suspends while the peer's window and our output buffer are full. Throws when the call has ended; after
    /// `finishSending`, FAILED_PRECONDITION.
    public func send(_ payload: Payload) async throws {
        try payload.checkLengths()
        switch kind {
        case .direct(let attempt): try await attempt.send(payload.deflated(as: attempt.call.options.compression))
        case .attempted(let call): try await call.send(payload)
        }
    }

    public func finishSending() {
        switch kind {
        case .direct(let attempt): attempt.finishSending()
        case .attempted(let call): call.finishSending()
        }
    }

    public var responses: MessageStream {
        switch kind {
        case .direct(let attempt): MessageStream(.queue(attempt.state.inbound))
        case .attempted(let call): MessageStream(.attempted(call))
        }
    }

    /// Known once the first response or the status came. Cancelling the task that waits for it cancels the call.
    public func initialMetadata() async throws -> Metadata {
        switch kind {
        case .direct(let attempt):
            try await withTaskCancellationHandler {
                try await attempt.state.initialMetadata()
            } onCancel: {
                attempt.cancel()
            }
        case .attempted(let call): try await call.initialMetadata()
        }
    }

    /// Known once `responses` ended.
    public var trailers: Metadata {
        switch kind {
        case .direct(let attempt): attempt.state.trailers
        case .attempted(let call): call.trailers
        }
    }

    public func cancel() {
        switch kind {
        case .direct(let attempt): attempt.cancel()
        case .attempted(let call): call.cancel()
        }
    }

    /// Calls `action` once when the call has ended, at once if it has: with nil after status OK. Responses may still
    /// wait to be taken. It must not block.
    public func onEnd(_ action: @escaping @Sendable (RPCError?) -> Void) {
        switch kind {
        case .direct(let attempt): attempt.state.onEnd(action)
        case .attempted(let call): call.onEnd(action)
        }
    }
}
