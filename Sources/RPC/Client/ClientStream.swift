import NIOCore

/// One call on the client.
///
///     waiting for a stream ──▶ open ──response head──▶ answering ──status──▶ ended
///         └────────── cancelled, deadline, refused, connection lost ──────────▶
///
/// Everything here is touched on the connection's loop only; other threads reach it through the connection's inbox.
final class ClientStream: @unchecked Sendable {
    /// Who waits for what comes.
    enum Sink {
        /// Told once, when the call ends, however it ends.
        case unary(Payload, UnaryReceiver)
        case streaming(StreamingState, opened: CheckedContinuation<Void, any Error>?)
    }

    /// Who waits for the answer of a unary call.
    @safe enum UnaryReceiver {
        case task(UnsafeContinuation<UnaryResponse, any Error>)
        case pending(PendingUnary)

        func ended(_ result: Result<UnaryResponse, RPCError>) {
            switch self {
            case .task(let continuation): unsafe continuation.resume(with: result.mapError { $0 as any Error })
            case .pending(let pending): pending.tell(.ended(result))
            }
        }
    }

    let path: String
    let options: CallOptions
    /// When a `pending` receiver is told that it takes long; nil: it was, or is not.
    var due: NIODeadline?
    /// nil: not there yet, or done.
    var sink: Sink?
    /// nil: no stream yet.
    var id: Int32?
    var takesAttachments = false
    /// nil: not needed yet, or any more.
    var reader: MessageReader?
    var inflater: Inflater?
    var ticket: MemoryLedger.Ticket?
    var hasHead = false
    var initialMetadata = Metadata()
    /// A response head came that is not the call's end.
    var isCommitted = false
    /// Of a unary call.
    var response: Payload?
    /// Known once the trailers came; messages may still be on their way through the reader.
    var status: CallStatus?
    /// The queue of a streaming call is full: the reader is not asked.
    var isHeldBack = false
    var hasFinishedSending = false
    var hasEnded = false
    /// The peer will send no more on the stream.
    var isRemoteDone = false
    /// The stream is gone.
    var isClosed = false

    init(path: String, options: CallOptions) {
        self.path = path
        self.options = options
    }

    /// Bytes so far, while its server has to send more before we can go on: of a message, or the status of a unary call
    /// whose answer has come whole. nil: nothing, or we hold it up.
    var arrivedBytes: Int? {
        // While nobody takes what came, our own window may be what holds the server up.
        if case .streaming(let state, _) = sink, !state.inbound.isEmpty { return nil }
        if let bytes = reader?.bytesInMessage { return bytes }
        guard let response else { return nil }
        if let reader { return reader.bytesBeforeEnd }
        // A small one that came in one piece.
        return isRemoteDone ? nil : response.byteCount
    }

    /// What fails a call that its server ended well; nil: nothing.
    var missingMessage: RPCError? {
        guard response == nil, case .unary = sink else { return nil }
        return RPCError(.internal, "unary call of \(path) got no message", limit: .malformedCall)
    }

    /// It takes long, and still runs.
    func tellDue() {
        due = nil
        if case .unary(_, .pending(let pending)) = sink { pending.tell(.due) }
    }

    var isStreaming: Bool {
        if case .streaming = sink { true } else { false }
    }
}
