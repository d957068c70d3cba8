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

    /// Of the messages; before the first one, else it is ignored, as it is if the client does not take it.
    /// A single message is left out with `Payload.compresses`.
    public func setCompression(_ compression: Compression) {
        if call.context.accepts(compression) { call.compression.choose(compression) }
    }

    /// Suspends while the peer's window and our output buffer are full. Throws when the call has ended.
    public func write(_ payload: Payload) async throws {
        try payload.checkLengths()
        let payload = try payload.deflated(as: call.compression.fix())
        try gate.add(payload.byteCount)
        inbox.submit { [call] connection in connection.write(payload, to: call) }
        try await gate.room()
    }
}
