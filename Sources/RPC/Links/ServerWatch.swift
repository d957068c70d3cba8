import HTTP2
import NIOCore

/// The times of one server connection: asks a silent client whether it is there, ends it when it is old, idle, slow or
/// stuck, and takes it through its graceful end. On the connection's loop; it ticks from `start` to `stop`.
final class ServerWatch {
    private let configuration: ServerConfiguration
    private let http2: HTTP2Handler
    private unowned let connection: ServerConnection
    private var session: Session { http2.session }

    private var keepalive: Keepalive?
    private var strikes: PingStrikes
    private var age: AgeState
    private var goAway: GoAwaySequence
    private var output: OutputStall?
    private var downloads: [Int32: Pace] = [:]
    private var uploads: Arrivals
    private var goAwayReason = ""
    private var ticker: LoopTicker?

    /// The last GOAWAY follows when this ping was answered.
    private static let drainPing: UInt64 = 0x6672_616d_6573_6821
    private static let keepalivePing: UInt64 = 0x616c_6976_653f_3f3f

    init(_ connection: ServerConnection, http2: HTTP2Handler, configuration: ServerConfiguration) {
        self.connection = connection
        self.http2 = http2
        self.configuration = configuration
        let limits = configuration.keepalive
        keepalive = limits.time.map { Keepalive(time: $0, timeout: limits.timeout, permitWithoutCalls: true) }
        strikes = PingStrikes(configuration.pings)
        age = AgeState(configuration.age, born: .now(), jitter: .random(in: ConnectionAge.jitter))
        goAway = GoAwaySequence(patience: configuration.goAwayPatience)
        output = OutputStall(timeout: configuration.slowPeers.outputTimeout)
        uploads = Arrivals(configuration.slowPeers.uploads)
    }

    func start(on loop: any EventLoop) {
        let interval = WatchInterval.of(configuration.watchedTimes)
        ticker = LoopTicker(every: interval, on: loop)
        ticker?.start { [weak self] in self?.tick(.now()) }
    }

    func stop() {
        ticker?.stop()
        ticker = nil
    }

    /// Running calls finish, new ones go elsewhere.
    func drain() {
        guard goAway.begin(at: .now()) else { return }
        session.announceGoAway(thenPing: Self.drainPing)
    }

    func pingAnswered(_ payload: UInt64) {
        if payload == Self.drainPing, goAway.pingAnswered() { session.finalGoAway(goAwayReason) }
    }

    func pingReceived() {
        let isTooMany = strikes.received(
            at: .now(), hasCalls: connection.hasCalls, framesSent: session.callFramesSent)
        guard isTooMany else { return }
        http2.fail(HTTP2Error(.enhanceYourCalm, PingPolicy.tooManyPings, limit: .pingStrikes))
    }

    private func tick(_ now: NIODeadline) {
        if let error = fatal(at: now) { return http2.close(error) }
        if goAway.step(at: now) { session.finalGoAway(goAwayReason) }
        lookAtOutputs(now)
        lookAtUploads(now)
        connection.flush()
    }

    /// Why the connection ends now.
    private func fatal(at now: NIODeadline) -> HTTP2Error? {
        switch age.step(at: now, hasCalls: connection.hasCalls, lastCall: session.lastPeerStream) {
        case .none: break
        case .drain(let reason):
            goAwayReason = reason
            drain()
        case .cut: return HTTP2Error(.noError, "calls go on for too long after max_age", limit: .ageGrace)
        }
        switch keepalive?.step(at: now, lastRead: http2.readTime, hasCalls: connection.hasCalls) ?? .none {
        case .none: break
        case .ping: session.ping(Self.keepalivePing)
        case .giveUp: return HTTP2Error(.noError, "keepalive: no answer from the peer", limit: .keepalive)
        }
        if output?.isStalled(at: now, sent: http2.bytesSent, pending: http2.bytesPending) == true {
            return HTTP2Error(.noError, "the peer reads nothing", limit: .stalledOutput)
        }
        return nil
    }

    private func lookAtOutputs(_ now: NIODeadline) {
        let limits = configuration.slowPeers
        guard limits.streamTimeout != nil else { return }
        var seen: [Int32: Pace] = [:]
        var slow: [Int32] = []
        session.forEachOutput { stream, pending, sent in
            guard pending > 0,
                var pace = downloads[stream] ?? Pace(rate: limits.minDownloadRate, over: limits.streamTimeout)
            else { return }
            if pace.isTooSlow(at: now, moved: sent) { slow.append(stream) }
            seen[stream] = pace
        }
        downloads = seen
        for stream in slow {
            connection.cut(
                stream, RPCError(.aborted, "the client takes its answer too slowly", limit: .stalledStream))
        }
    }

    private func lookAtUploads(_ now: NIODeadline) {
        var arriving: [Arrivals.Message] = []
        var late: [(ServerCall, RPCError)] = []
        connection.calls.forEach { call in
            if let error = call.lateness(at: now, configuration) { return late.append((call, error)) }
            // While its handler takes nothing, our own window may be what holds the client up.
            guard call.inbound?.isEmpty ?? true, let received = call.uploadedBytes else { return }
            arriving.append(
                Arrivals.Message(stream: call.stream, received: received, reserved: call.reader?.reservedBytes ?? 0))
        }
        for stream in uploads.tooSlow(at: now, arriving) {
            guard let call = connection.calls[stream] else { continue }
            late.append(
                (call, RPCError(.deadlineExceeded, "the request message arrives too slowly", limit: .slowUpload)))
        }
        for (call, error) in late { connection.finish(call, error) }
    }
}

extension ServerCall {
    /// Why the wait for its first message, or for memory for one, ends now; nil: it goes on, or there is none.
    fileprivate func lateness(at now: NIODeadline, _ configuration: ServerConfiguration) -> RPCError? {
        guard !isAnswered else { return nil }
        if let ticket, let patience = configuration.memoryPatience, now - ticket.since >= TimeAmount(patience) {
            return RPCError(
                .resourceExhausted, "no memory for the request message within \(patience)", limit: .memoryWait)
        }
        if reader?.hasBegun == false, !hasSentHead, let timeout = configuration.slowPeers.firstMessageTimeout,
            now - start >= TimeAmount(timeout)
        {
            return RPCError(.deadlineExceeded, "no request message came within \(timeout)", limit: .slowUpload)
        }
        return nil
    }
}

extension ServerConfiguration {
    var watchedTimes: [Duration?] {
        [
            keepalive.time, keepalive.time == nil ? nil : keepalive.timeout, age.maxIdle, age.maxAge, age.maxAgeGrace,
            slowPeers.outputTimeout, slowPeers.streamTimeout,
            slowPeers.uploads.watchedTime, slowPeers.firstMessageTimeout,
            memoryPatience,
            goAwayPatience,
        ]
    }
}
