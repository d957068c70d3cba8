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
        case unary(Payload, CheckedContinuation<UnaryResponse, any Error>)
        case streaming(StreamingState, opened: CheckedContinuation<Void, any Error>?)
    }

    let path: String
    let metadata: Metadata
    let deadline: Deadline?
    /// nil: not there yet, or done.
    var sink: Sink?
    /// nil: no stream yet.
    var id: Int32?
    var takesAttachments = false
    var reader: MessageReader?
    var ticket: UInt64?
    var hasHead = false
    var initialMetadata = Metadata()
    /// Of a unary call.
    var response: Payload?
    /// Known once the trailers came; messages may still be on their way through the reader.
    var status: CallStatus?
    var hasFinishedSending = false
    var hasEnded = false
    /// Times that the peer refused a stream for it.
    var refusals = 0
    /// The peer will send no more on the stream.
    var isRemoteDone = false
    /// The stream is gone.
    var isClosed = false

    init(path: String, metadata: Metadata, deadline: Deadline?) {
        self.path = path
        self.metadata = metadata
        self.deadline = deadline
    }
}
