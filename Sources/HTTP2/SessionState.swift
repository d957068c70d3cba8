import NIOCore

/// What a session remembers, and nghttp2's callbacks change.
struct SessionState {
    var log: EventLog
    private(set) var outputs = StreamTable<StreamOutput>()
    /// Bytes of `outputs`.
    private(set) var unsentBytes = 0
    /// Requests whose streams are open, of a server.
    var openRequests = 0
    /// On either side.
    var openStreams: Int { max(openRequests, outputs.count) }
    /// Resets that were counted when they were queued, and are not sent yet.
    private var resetsQueued = 0
    var output = OutputQueue()
    var flood: FloodGuard
    /// The first thing that the peer should not have done.
    private(set) var fault: HTTP2Error?
    /// The connection was given up; what still comes is not looked at (CVE-2026-27135).
    var isTerminated = false
    /// nghttp2 found a mistake that ends the connection, and has told the peer.
    var violation: HTTP2Error?
    /// The peer has sent something.
    var hasHeard = false
    /// HEADERS and DATA.
    var callFramesSent: UInt64 = 0
    /// Address of the buffer that is read, to name DATA by its offset.
    var inputStart: UInt = 0
    var frameScan: FrameScan
    var padding = PaddingCredit()
    /// Of all streams together.
    var connectionWindow = 0
    /// Bytes that were taken since the last credit for a lone stream.
    var connectionCredit = 0
    var pingAfterGoAway: UInt64?
    /// The last stream of a client whose head was sent: nghttp2 sends them in order.
    var lastRequestSent: Int32 = 0
    /// The stream that the last GOAWAY names, which may wait for room in the socket.
    var lastServed = Int32.max
    /// Streams of a server that has answered; the peer is told to stop sending.
    var answered: [Int32] = []

    /// Streams whose body ended when nothing of it waited, until their end is sent.
    var ending: [Int32] = []
    /// The peer has said since our last header block how large its compression table may be; the next one begins with that.
    var owesTableSize = false

    /// nghttp2 may still point into them.
    private var prepared: [PreparedFields] = []

    /// Told of as `drained`.
    private let lowBytes: Int

    init(role: Session.Role, flood: FloodGuard, lowBytes: Int) {
        log = EventLog(joinsRequests: role == .server)
        frameScan = FrameScan(role)
        self.flood = flood
        self.lowBytes = lowBytes
    }

    mutating func scan(_ bytes: UnsafeRawBufferPointer) -> (before: Int, error: HTTP2Error)? {
        unsafe frameScan.scan(bytes, &flood)
    }

    mutating func note(_ trouble: HTTP2Error?) { fault = fault ?? trouble }

    /// One more stream that the peer made us reset. It is counted when it is queued, since a peer that reads nothing
    /// would have them queued for ever.
    mutating func countReset() -> HTTP2Error? {
        resetsQueued += 1
        return flood.count(.resetSent)
    }

    /// The next reset is for a fault of our own.
    mutating func willResetForOurselves() { resetsQueued += 1 }

    /// One more stream beyond the limit that the peer was told.
    mutating func countRefusal() -> HTTP2Error? { flood.count(.resetSent) }

    /// - Returns: what is wrong, once those that nghttp2 sends unasked are too many.
    mutating func resetSent() -> HTTP2Error? {
        guard resetsQueued == 0 else {
            resetsQueued -= 1
            return nil
        }
        return flood.count(.resetSent)
    }

    // ---- outputs ----

    mutating func addOutput(_ stream: Int32, _ output: consuming StreamOutput) {
        if outputs.contains(stream) { removeOutput(stream) }
        unsentBytes += output.pending
        outputs.set(stream, output)
    }

    mutating func removeOutput(_ stream: Int32) {
        guard let output = outputs.remove(stream) else { return }
        sentOrDropped(output.pending)
    }

    mutating func append(_ buffer: ByteBuffer, at place: Int) {
        unsentBytes += buffer.readableBytes
        outputs[at: place].append(buffer)
    }

    mutating func finish(at place: Int, _ trailers: StreamOutput.Trailers) {
        outputs[at: place].isFinished = true
        outputs[at: place].trailers = trailers
    }

    mutating func expect(at place: Int, by time: UInt64) { outputs[at: place].wantedUntil = time }

    /// - Returns: nghttp2 waits to be told that there is something.
    mutating func resumes(at place: Int) -> Bool {
        defer { outputs[at: place].isDeferred = false }
        return outputs[at: place].isDeferred
    }

    mutating func next(at place: Int, upTo length: Int) -> StreamOutput.Next { outputs[at: place].next(upTo: length) }

    private mutating func sentOrDropped(_ bytes: Int) {
        let before = unsentBytes
        unsentBytes -= bytes
        if before > lowBytes, unsentBytes <= lowBytes { log.drained() }
    }

    // ---- fields ----

    mutating func keep(_ fields: PreparedFields) {
        for known in prepared where known === fields { return }
        prepared.append(fields)
    }

    /// Moves the next bytes of a stream to the output.
    /// - Returns: false: there is no such stream.
    mutating func write(_ length: Int, of stream: Int32) -> Bool {
        guard let place = outputs.find(stream) else { return false }
        Self.move(length, of: &outputs[at: place], to: &output)
        sentOrDropped(length)
        if outputs[at: place].reportsSent { log.sent(stream, bytes: length) }
        return true
    }

    private static func move(_ length: Int, of stream: inout StreamOutput, to output: inout OutputQueue) {
        stream.take(length) { output.append($0) }
    }

    /// Copies the next bytes of a stream, which is at `place`, to where there is room for them.
    mutating func copy(_ length: Int, of stream: Int32, at place: Int, to target: UnsafeMutablePointer<UInt8>) {
        let room = unsafe UnsafeMutableRawBufferPointer(start: target, count: length)
        var done = 0
        outputs[at: place].take(length) { piece in
            unsafe piece.withBytes { bytes in
                unsafe UnsafeMutableRawBufferPointer(rebasing: room[done...]).copyMemory(from: bytes)
                done += bytes.count
            }
        }
        sentOrDropped(length)
        if outputs[at: place].reportsSent { log.sent(stream, bytes: length) }
    }
}
