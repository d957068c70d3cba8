import NIOCore

/// Decides when a peer is too slow, sends too much around too little, or has been silent for too long; without sockets
/// or clocks.
///
/// What comes and what is answered are told apart, as a peer may send its next requests before the answer to the first
/// has ended (pipelining, RFC 9112, section 9.3.2):
///
///     between ──▶ header ──▶ body ──▶ between …
///                              └────▶ lingering (this request's answer is written before its body has come)
///
/// The clocks of `between` and `header` run only while no answer is due.
struct ConnectionWatch {
    /// Where the bytes that come belong.
    enum Input: Equatable {
        /// No byte of a next request has come.
        case between(since: NIODeadline)
        /// The first bytes of a request have come, or the connection has just been made.
        case header(since: NIODeadline)
        case body
        /// The answer is written, what still comes of the request is not looked at.
        case lingering(since: NIODeadline)
    }

    /// The limit that ends a connection.
    enum Ending: String, CaseIterable {
        case headerTimeout = "header-timeout"
        case idleTimeout = "idle-timeout"
        case slowUpload = "min-upload-rate"
        case chunkOverhead = "chunk-overhead-factor"
        case stalledOutput = "output-timeout"
        case linger = "linger-timeout"

        /// A peer was too slow or sent too much; an idle connection just ends.
        var isRefusal: Bool { self != .idleTimeout && self != .linger }
    }

    private let limits: ConnectionLimits
    private(set) var input: Input
    private var headsRead = 0
    private var answersEnded = 0
    /// Of the request whose body comes.
    private var rawBytes = 0
    private var bodyBytes = 0
    /// Of a span of the body: the bytes, and the time in which we waited for them.
    private var spanBytes = 0
    private var waited: TimeAmount = .zero
    private var waitingSince: NIODeadline?
    /// Since when the peer has taken nothing of more than it could be sent.
    private var stuckSince: NIODeadline?
    private var pendingBytes = 0

    init(_ limits: ConnectionLimits, now: NIODeadline) {
        self.limits = limits
        input = .header(since: now)
    }

    // MARK: Bytes

    /// The next bytes are asked for.
    mutating func reading(_ now: NIODeadline) { waitingSince = waitingSince ?? now }

    mutating func received(_ bytes: Int, _ now: NIODeadline) {
        endWaiting(now)
        switch input {
        case .between: input = .header(since: now)
        case .body: rawBytes += bytes
        case .header, .lingering: break
        }
    }

    /// Whether the peer can be sent more.
    mutating func writable(_ isWritable: Bool, _ now: NIODeadline) {
        stuckSince = isWritable ? nil : stuckSince ?? now
        if isWritable { pendingBytes = 0 }
    }

    /// What waits to be sent. When it becomes less, the peer takes something: however slowly, it is not stuck.
    mutating func pending(_ bytes: Int, _ now: NIODeadline) {
        if stuckSince != nil, bytes < pendingBytes { stuckSince = now }
        pendingBytes = bytes
    }

    // MARK: Requests

    mutating func headRead() {
        headsRead += 1
        input = .body
        (rawBytes, bodyBytes, spanBytes, waited) = (0, 0, 0, .zero)
    }

    mutating func bodyRead(_ bytes: Int) {
        bodyBytes += bytes
        spanBytes += bytes
    }

    mutating func requestEnded(_ now: NIODeadline) { input = .between(since: now) }

    /// The answer that is being written is the one to the last request that has come.
    var answersLast: Bool { answersEnded + 1 == headsRead }

    /// The answer that is being written is to a request whose body has not come yet.
    var answersEarly: Bool { answersLast && input == .body }

    mutating func answered(_ now: NIODeadline) {
        let isEarly = answersEarly
        answersEnded += 1
        guard !owesAnswer || isEarly else { return }
        switch input {
        case .body: input = .lingering(since: now)
        case .between: input = .between(since: now)
        case .header: input = .header(since: now)
        case .lingering: break
        }
    }

    private var owesAnswer: Bool { answersEnded < headsRead }

    // MARK: Verdicts

    /// What is looked at after each piece that has come.
    var excess: Ending? {
        guard input == .body else { return nil }
        let allowed = Double(limits.chunkOverheadBytes) + Double(bodyBytes) * limits.chunkOverheadFactor
        return Double(rawBytes) > allowed ? .chunkOverhead : nil
    }

    /// What is looked at from time to time.
    mutating func overdue(_ now: NIODeadline) -> Ending? {
        if let stuckSince, now - stuckSince >= TimeAmount(limits.outputTimeout) { return .stalledOutput }
        switch input {
        case .lingering(let since): return now - since >= TimeAmount(limits.lingerTimeout) ? .linger : nil
        case .body: return slowUpload(now) ? .slowUpload : nil
        case .between where owesAnswer, .header where owesAnswer: return nil
        case .header(let since): return now - since >= TimeAmount(limits.headerTimeout) ? .headerTimeout : nil
        case .between(let since): return now - since >= TimeAmount(limits.idleTimeout) ? .idleTimeout : nil
        }
    }

    private mutating func slowUpload(_ now: NIODeadline) -> Bool {
        if let since = waitingSince {
            waited = waited + (now - since)
            waitingSince = now
        }
        let grace = TimeAmount(limits.uploadGrace)
        guard waited >= grace else { return false }
        let isSlow = Double(spanBytes) < Double(limits.minUploadRate) * Double(waited.nanoseconds) / 1e9
        (spanBytes, waited) = (0, .zero)
        return isSlow
    }

    private mutating func endWaiting(_ now: NIODeadline) {
        guard let since = waitingSince else { return }
        waited = waited + (now - since)
        waitingSince = nil
    }
}
