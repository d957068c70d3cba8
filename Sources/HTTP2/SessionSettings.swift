/// Every size and rate of one HTTP/2 connection.
public struct SessionSettings: Sendable {
    /// What a peer may send on a new stream before it hears from us.
    public var initialStreamWindowBytes = 256 << 10
    /// What a peer may send on all streams before we have copied it away. A small call waits behind as much as that of
    /// large messages on its connection; a line carries no more than that in the time of its round trip.
    public var connectionWindowBytes = 1 << 20
    /// The largest DATA payload, both ways.
    public var maxFrameBytes = 1 << 20
    /// Streams that a client may have open; those beyond are refused. 0 on the client side, where nobody may push.
    public var maxConcurrentStreams = 128
    /// One header block, decoded: bytes with 32 more per field (RFC 9113, section 6.5.2), and fields.
    public var maxHeaderListBytes = 16 << 10
    public var maxHeaderFields = 128
    /// Of bodies that wait to be sent, on all streams: when no more than that is left, `drained` is told.
    public var lowUnsentBytes = 16 << 20
    /// Bytes handed to the socket in one go, and the most that waits there before streams are held back.
    public var maxOutputBytes = 1 << 20
    public var flood = FloodLimits()

    public init() {}
}
