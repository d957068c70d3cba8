/// What a session remembers, and nghttp2's callbacks change.
struct SessionState {
    var log: EventLog
    var outputs = StreamTable<StreamOutput>()
    var output = OutputQueue()
    var flood: FloodGuard
    /// The first thing that the peer should not have done.
    private(set) var fault: HTTP2Error?
    /// The connection was given up; what still comes is not looked at (CVE-2026-27135).
    var isTerminated = false
    /// nghttp2 found a mistake that ends the connection, and has told the peer.
    var violation: HTTP2Error?
    /// HEADERS and DATA.
    var callFramesSent: UInt64 = 0
    /// Address of the buffer that is read, to name DATA by its offset.
    var inputStart: UInt = 0
    var frameScan: FrameScan
    var padding = PaddingCredit()
    /// Streams of a server that has answered; the peer is told to stop sending.
    var answered: [Int32] = []

    /// nghttp2 may still point into them.
    private var prepared: [PreparedFields] = []

    init(role: Session.Role, flood: FloodGuard) {
        log = EventLog(joinsRequests: role == .server)
        frameScan = FrameScan(role)
        self.flood = flood
    }

    mutating func note(_ trouble: HTTP2Error?) { fault = fault ?? trouble }

    mutating func keep(_ fields: PreparedFields) {
        for known in prepared where known === fields { return }
        prepared.append(fields)
    }

    /// Moves the next bytes of a stream to the output.
    /// - Returns: false: there is no such stream.
    mutating func write(_ length: Int, of stream: Int32) -> Bool {
        guard let place = outputs.find(stream) else { return false }
        Self.move(length, of: &outputs[at: place], to: &output)
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
        if outputs[at: place].reportsSent { log.sent(stream, bytes: length) }
    }
}
