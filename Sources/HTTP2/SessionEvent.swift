/// What a peer did, in the order in which it did it.
public enum SessionEvent {
    /// A request; in a client, a response head, unless it is of status 1xx, or trailers.
    case headers(stream: Int32, fields: HeaderFields, endStream: Bool)
    /// Trailers of a request, in a server; they end it.
    case trailers(stream: Int32, fields: HeaderFields)
    /// A whole request, in a server: its head and all its DATA (as `data`), and it has ended.
    case request(stream: Int32, fields: HeaderFields, offset: Int, length: Int)
    /// A header block beyond `SessionSettings.maxHeaderListBytes` or `.maxHeaderFields`; its fields are gone.
    case oversizedHeaders(stream: Int32, fields: Int, bytes: Int)
    /// A stream that HTTP/2 refuses by itself; it ends or has never begun.
    case rejected(stream: Int32, ConnectionLimit)
    /// DATA: `length` bytes from `offset` of the buffer just received.
    case data(stream: Int32, offset: Int, length: Int)
    /// The peer will send no more on the stream.
    case ended(stream: Int32)
    /// The stream is gone: finished on both sides (`noError`), or reset by either.
    case closed(stream: Int32, code: ErrorCode)
    /// DATA of ours went to the socket; there is room for more. Not told of a `reply`.
    case sent(stream: Int32, bytes: Int)
    /// More than `SessionSettings.lowUnsentBytes` waited to be sent, and now no more than that does.
    case drained
    case settings(maxConcurrentStreams: UInt32)
    /// A PING that was answered.
    case ping
    case pingAcknowledged(UInt64)
    case goAway(lastStream: Int32, code: ErrorCode, debug: String)
}
