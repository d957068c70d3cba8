import NIOCore

/// Decides when a peer is too slow, sends too much around too little, or has been silent for too long; without sockets
/// or clocks.
///
///     header ─▶ body ─▶ answering ─▶ idle ─▶ header …
///                 └──▶ lingering (its answer is written before its body has come)
struct ConnectionWatch {
    enum Phase: Equatable {
        /// The first bytes of a request have come, or the connection has just been made.
        case header(since: NIODeadline)
        case body
        /// The request has come whole, its answer is not written yet.
        case answering
        /// All requests are answered.
        case idle(since: NIODeadline)
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
    private(set) var phase: Phase
    /// Of the running request.
    private var rawBytes = 0
    private var bodyBytes = 0
    /// Of a span of the body: the bytes, and the time in which we waited for them.
    private var spanBytes = 0
    private var waited: TimeAmount = .zero
    private var waitingSince: NIODeadline?
    private var unwritableSince: NIODeadline?

    init(_ limits: ConnectionLimits, now: NIODeadline) {
        self.limits = limits
        phase = .header(since: now)
    }

    // MARK: Bytes

    /// The next bytes are asked for.
    mutating func reading(_ now: NIODeadline) { waitingSince = waitingSince ?? now }

    mutating func received(_ bytes: Int, _ now: NIODeadline) {
        endWaiting(now)
        switch phase {
        case .idle:
            phase = .header(since: now)
            rawBytes = 0
        case .body: rawBytes += bytes
        case .header, .answering, .lingering: break
        }
    }

    /// Whether the peer can be sent more.
    mutating func writable(_ isWritable: Bool, _ now: NIODeadline) {
        unwritableSince = isWritable ? nil : unwritableSince ?? now
    }

    // MARK: Requests

    mutating func headRead() {
        phase = .body
        (rawBytes, bodyBytes, spanBytes, waited) = (0, 0, 0, .zero)
    }

    mutating func bodyRead(_ bytes: Int) {
        bodyBytes += bytes
        spanBytes += bytes
    }

    mutating func requestEnded() { phase = .answering }

    mutating func answered(_ now: NIODeadline) {
        switch phase {
        case .body: phase = .lingering(since: now)
        case .answering: phase = .idle(since: now)
        case .header, .idle, .lingering: break
        }
    }

    // MARK: Verdicts

    /// What is looked at after each piece that has come.
    var excess: Ending? {
        guard phase == .body else { return nil }
        let allowed = Double(limits.chunkOverheadBytes) + Double(bodyBytes) * limits.chunkOverheadFactor
        return Double(rawBytes) > allowed ? .chunkOverhead : nil
    }

    /// What is looked at from time to time.
    mutating func overdue(_ now: NIODeadline) -> Ending? {
        if let unwritableSince, now - unwritableSince >= TimeAmount(limits.outputTimeout) { return .stalledOutput }
        switch phase {
        case .header(let since): return now - since >= TimeAmount(limits.headerTimeout) ? .headerTimeout : nil
        case .idle(let since): return now - since >= TimeAmount(limits.idleTimeout) ? .idleTimeout : nil
        case .lingering(let since): return now - since >= TimeAmount(limits.lingerTimeout) ? .linger : nil
        case .answering: return nil
        case .body: return slowUpload(now) ? .slowUpload : nil
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
