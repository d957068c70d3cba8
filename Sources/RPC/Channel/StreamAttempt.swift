/// A streaming call on one connection.
struct StreamAttempt: Sendable {
    let call: ClientStream
    let state: StreamingState
    let inbox: LoopInbox<ClientConnection>

    /// Suspends while the peer's window and our output buffer are full. Throws when the call has ended.
    func send(_ payload: Payload) async throws {
        try queue(payload)
        try await state.gate.room()
    }

    /// Sends however much waits already.
    func queue(_ payload: Payload) throws(RPCError) {
        try state.gate.add(payload.byteCount)
        inbox.submit { [call] connection in connection.send(payload, on: call) }
    }

    func finishSending() {
        state.gate.finish()
        inbox.submit { [call] connection in connection.finishSending(call) }
    }

    func cancel() {
        inbox.submit { [call] connection in connection.cancel(call) }
    }
}
