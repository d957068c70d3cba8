public struct ResponseWriter: Sendable {
    let call: ServerCall
    let gate: OutboundGate
    let inbox: LoopInbox<ServerConnection>

    /// Sent with the first message, or with the status; ignored after that.
    public func setInitialMetadata(_ metadata: Metadata) {
        inbox.submit { [call] _ in call.initialMetadata = metadata }
    }

    public func setTrailers(_ metadata: Metadata) {
        inbox.submit { [call] _ in call.trailers = metadata }
    }

    /// Suspends while the peer's window and our output buffer are full. Throws when the call has ended.
    public func write(_ payload: Payload) async throws {
        try payload.checkLengths()
        try gate.add(payload.byteCount)
        inbox.submit { [call] connection in connection.write(payload, to: call) }
        try await gate.room()
    }
}
