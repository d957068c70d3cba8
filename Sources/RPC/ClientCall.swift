/// A streaming call as its client sees it. Dropping the last reference does not cancel; `cancel()` does, and so does
/// cancelling the task that waits for the next response.
public struct ClientCall: Sendable {
    let call: ClientStream
    let state: StreamingState
    let inbox: LoopInbox<ClientConnection>

    /// Suspends while the peer's window and our output buffer are full. Throws when the call has ended.
    public func send(_ payload: Payload) async throws {
        try payload.checkLengths()
        try state.gate.add(payload.byteCount)
        inbox.submit { [call] connection in connection.send(payload, on: call) }
        try await state.gate.room()
    }

    public func finishSending() {
        inbox.submit { [call] connection in connection.finishSending(call) }
    }

    public var responses: MessageStream { MessageStream(queue: state.inbound) }

    /// Known once the first response or the status came.
    public func initialMetadata() async throws -> Metadata { try await state.initialMetadata() }

    /// Known once `responses` ended.
    public var trailers: Metadata { state.trailers }

    public func cancel() {
        inbox.submit { [call] connection in connection.cancel(call) }
    }
}
