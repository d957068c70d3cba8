import NIOCore

/// One call on the server.
///
///     headers ──▶ reading ──request complete──▶ running ──handler returned──▶ answered ──▶ closed
///                    └───────────────── reset, deadline, connection lost ─────────────────▶
///
/// Everything here is touched on the connection's loop only, `outcome` excepted; other threads reach it through the
/// connection's inbox.
final class ServerCall: @unchecked Sendable {
    let stream: Int32
    let context: CallContext
    let method: ServerMethod
    /// When its head came.
    let start: NIODeadline
    var traffic = CallTraffic()
    var times = CallTimes()
    /// nil: past reading, or read at once.
    var reader: MessageReader?
    /// The request of a unary call.
    var request: Payload?
    /// Of a streaming call.
    var inbound: InboundQueue?
    var gate: OutboundGate?
    /// `inbound` is full: the reader is not asked.
    var isHeldBack = false
    /// Runs the handler, and from when it first waits nothing else. Cancelled with the call; the server's `run()` waits
    /// for its end.
    var task: Task<Void, Never>?
    /// How the handler ended, with the answer of a unary one. Its task sets it, and then submits the call to the inbox.
    var outcome: Outcome?
    let rendezvous = Rendezvous()
    /// While its request has not come whole, it is bounded by nothing else: no handler runs.
    var headPlace: MemoryBudget.Window?
    /// The wait for memory.
    var ticket: MemoryLedger.Ticket?

    var initialMetadata = Metadata()
    var trailers = Metadata()
    let compression: ResponseCompression
    var hasSentHead = false
    /// Answered, or past answering.
    var isAnswered = false

    init(
        stream: Int32, context: CallContext, method: ServerMethod, start: NIODeadline,
        compression: Compression = .identity
    ) {
        self.stream = stream
        self.context = context
        self.method = method
        self.start = start
        self.compression = ResponseCompression(context.accepts(compression) ? compression : .identity)
    }

    /// What a call takes that waits for its message, about.
    static func headBytes(_ metadata: Metadata) -> Int { fixedBytes + metadata.wireBytes(beside: bytesOfEntry) }

    private static let fixedBytes = 2048
    private static let bytesOfEntry = 96

    /// Bytes so far, while its client has to send more before we can go on: of a message, or the end of a unary request
    /// that has come whole and holds memory. nil: nothing, or we hold it up.
    var uploadedBytes: Int? { reader?.bytesInMessage ?? (request == nil ? nil : reader?.bytesBeforeEnd) }

    /// Its status is decided.
    /// - Parameter error: nil for OK.
    func answered(_ error: RPCError?) {
        isAnswered = true
        method.chain?.report(context, error, since: start, traffic: traffic, times: times)
    }

    /// Ends what waits for this call.
    /// - Parameter error: why, where it was not the handler that ended it.
    func end(_ error: RPCError, budget: MemoryBudget) {
        if !isAnswered { answered(error) }
        if let ticket = ticket.take() { budget.cancel(ticket) }
        // Someone may hold the call for long, but not half a message and its memory.
        reader = nil
        headPlace = nil
        request = nil
        inbound?.finish(error, dropping: true)
        gate?.end(error)
        // It holds this call, and with it the connection.
        inbound = nil
        task?.cancel()
        task = nil
    }
}
