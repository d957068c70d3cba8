import HTTP2
import Logging
import NIOCore

/// The client's end of a connection: turns calls into HTTP/2 frames, and events into answers.
///
/// Lives on its event loop, from connect until the channel is closed; then it fails with the reason every call whose answer
/// has not all come.
final class ClientConnection: HTTP2Delegate, LoopBound {
    let configuration: ClientConfiguration
    let budget: MemoryBudget
    let share: MemoryShare
    let acceptedEncodings: AcceptedEncodings
    let peer: String
    let logger: Logger
    let eventLoop: any EventLoop
    let session: Session
    private(set) var http2: HTTP2Handler?
    private var watch: ClientWatch?
    private let poll: LoopPoll
    private let pollTime: TimeAmount?
    var hasCalls: Bool { !calls.isEmpty || !pending.isEmpty }
    private(set) var inbox: LoopInbox<ClientConnection>?
    let status = ConnectionStatus()
    /// As `status.attachmentPeer`, without its lock.
    private(set) var attachmentPeer: String?
    /// As `status.hasAnswered`.
    private var hasAnswered = false
    /// Completed by the peer's first SETTINGS.
    private var ready: EventLoopPromise<Void>?
    let isReady: EventLoopFuture<Void>

    var calls = StreamTable<ClientStream>()
    var heads: RequestHeads
    var memo: ResponseMemo
    /// They wait for the peer's stream limit.
    var pending = CircularBuffer<ClientStream>()
    private(set) var peerStreamLimit: UInt32 = 0
    var openStreams = 0
    var intake: LargeIntake
    var sweep = DeadlineSweep()
    var timer: Scheduled<Void>?
    private(set) var isDraining = false
    private(set) var goAway: String?
    private(set) var end: RPCError?
    private(set) var closeReason: RPCError?

    /// - Parameter began: when `connectTimeout` began; nil: when the channel is active.
    static func make(
        on channel: any Channel, peer: String, authority: String, configuration: ClientConfiguration,
        budget: MemoryBudget, logger: Logger, began: NIODeadline? = nil
    ) throws -> ClientConnection {
        let connection = try ClientConnection(
            eventLoop: channel.eventLoop, peer: peer, authority: authority, configuration: configuration,
            budget: budget, logger: logger)
        let handler = HTTP2Handler(
            session: connection.session, delegate: connection,
            handshakeTimeout: TimeAmount(configuration.connectTimeout), since: began)
        connection.http2 = handler
        connection.watch = ClientWatch(connection, http2: handler, configuration: configuration)
        connection.inbox = LoopInbox(connection, on: channel.eventLoop)
        try channel.pipeline.syncOperations.addHandler(handler)
        try ReceiveAllocator(for: handler, isPlain: configuration.tls == nil).install(on: channel)
        connection.watch?.start(on: channel.eventLoop)
        return connection
    }

    private init(
        eventLoop: any EventLoop, peer: String, authority: String, configuration: ClientConfiguration,
        budget: MemoryBudget, logger: Logger
    ) throws {
        self.eventLoop = eventLoop
        poll = .of(eventLoop)
        pollTime = configuration.busyPoll.map { TimeAmount($0) }
        self.peer = peer
        self.logger = logger
        self.configuration = configuration
        self.budget = budget
        share = MemoryShare(configuration.memoryShare, of: budget)
        memo = ResponseMemo(maxMetadata: configuration.maxMetadataFields)
        acceptedEncodings = AcceptedEncodings(configuration.acceptedCompression)
        heads = RequestHeads(
            scheme: configuration.tls == nil ? "http" : "https", authority: authority,
            userAgent: configuration.userAgent, acceptedEncodings: acceptedEncodings.field)
        var settings = SessionSettings()
        settings.initialStreamWindowBytes = configuration.initialStreamWindowBytes
        settings.connectionWindowBytes = configuration.connectionWindowBytes
        settings.maxFrameBytes = configuration.maxFrameBytes
        settings.maxHeaderListBytes = configuration.maxMetadataBytes
        settings.maxHeaderFields = configuration.maxMetadataFields
        settings.maxOutputBytes = configuration.maxOutputBytes
        settings.flood = configuration.flood
        intake = LargeIntake(windowBytes: settings.connectionWindowBytes)
        session = try Session(role: .client, settings: settings)
        let promise = eventLoop.makePromise(of: Void.self)
        ready = promise
        isReady = promise.futureResult
    }

    func flush() { http2?.flush() }

    /// What callers in other threads want.
    enum Wish: Sendable {
        case start(ClientStream, ClientStream.Sink)
        case cancel(ClientStream)
    }

    func announced(_ identity: String) {
        guard identity != attachmentPeer else { return }
        attachmentPeer = identity
        status.announced(identity)
    }

    /// The peer has answered a call, whatever it said.
    func gotAnswer() {
        guard !hasAnswered else { return }
        hasAnswered = true
        status.gotAnswer()
    }

    func take(_ wish: Wish) {
        switch wish {
        case .start(let call, let sink): start(call, sink)
        case .cancel(let call): cancel(call)
        }
    }

    // ---- events ----

    func received(_ event: SessionEvent) {
        switch event {
        case .headers(let stream, let fields, let endStream):
            if let call = calls[stream] { received(fields, endStream: endStream, call) }
        case .oversizedHeaders(let stream, let fields, let bytes):
            if let call = calls[stream] {
                finish(
                    call,
                    RPCError(
                        .resourceExhausted,
                        "metadata of \(fields) fields and \(bytes) bytes exceeds limit \(configuration.maxMetadataFields) fields, \(configuration.maxMetadataBytes) bytes",
                        limit: .metadata
                    ))
            }
        case .rejected(let stream, let limit): LimitCounters.client.count(limit, peer: peer, "stream \(stream)", logger)
        case .ended(let stream): if let call = calls[stream] { remoteDone(call) }
        case .closed(let stream, let code): closed(stream, code)
        case .sent(let stream, let bytes):
            if case .streaming(let state, _) = calls[stream]?.sink { state.gate.sent(bytes) }
        case .settings(let limit):
            peerStreamLimit = limit
            ready.take()?.succeed()
            openPending()
        case .goAway(_, let code, let debug): received(goAway: code, debug)
        case .data, .request, .trailers, .drained, .ping, .pingAcknowledged: break
        }
    }

    func eventsTold() {
        if let pollTime, let http2 { poll.worked(at: http2.readTime, limit: pollTime) }
    }

    // ---- the connection ends ----

    private func received(goAway code: ErrorCode, _ debug: String) {
        if code == .enhanceYourCalm, debug == PingPolicy.tooManyPings { configuration.keepalive.slowDown() }
        let detail = debug.isEmpty ? "" : ": \(debug)"
        goAway = "peer \(peer) goes away (\(code)\(detail))"
        stopNewCalls()
    }

    func drain() {
        isDraining = true
        stopNewCalls()
    }

    private func stopNewCalls() {
        status.stopUse()
        let message = goAway ?? "connection to \(peer) drains"
        while let call = pending.popFirst() {
            finish(call, RPCError(.unavailable, message, neverStarted: true))
        }
        closeIfDrained()
    }

    func closeIfDrained() {
        guard end == nil, isDraining || goAway != nil, calls.isEmpty, openStreams == 0 else { return }
        close(RPCError(.unavailable, goAway ?? "connection to \(peer) was drained"))
    }

    func close(_ error: RPCError) {
        guard end == nil, closeReason == nil else { return }
        closeReason = error
        status.stopUse()
        session.finalGoAway()
        flush()
        http2?.close(error)
    }

    func ended(_ reason: (any Error)?) {
        guard end == nil else { return }
        if let error = reason as? HTTP2Error, let limit = error.limit {
            LimitCounters.client.count(limit, peer: peer, error.message, logger)
        } else if let error = reason as? IOError, error.isOfSilentPeer {
            LimitCounters.client.count(.stalledOutput, peer: peer, "the peer takes nothing", logger)
        }
        let error =
            closeReason
            ?? RPCError(
                .unavailable,
                "connection to \(peer) was lost: \(reason.map { SystemError.text($0) } ?? goAway ?? "closed by peer")",
                cause: reason)
        end = error
        timer?.cancel()
        status.end(error)
        ready.take()?.fail(error)
        failCalls(error)
        // They hold this connection.
        inbox = nil
        http2 = nil
        watch?.stop()
        watch = nil
    }

    private func failCalls(_ error: RPCError) {
        let all = openCalls
        for call in all {
            guard !call.isRemoteDone else {
                finishUnread(call)
                continue
            }
            var lost = error
            // Its head may still wait for room in the socket.
            let hasBegun = call.id.map { session.hasSent(request: $0) } ?? false
            (lost.lostConnection, lost.neverStarted) = (hasBegun, !hasBegun)
            finish(call, lost)
        }
        while let call = pending.popFirst() {
            var lost = error
            lost.neverStarted = true
            finish(call, lost)
        }
    }

    /// A copy, since calls leave when they end.
    var openCalls: [ClientStream] {
        var all: [ClientStream] = []
        calls.forEach { all.append($0) }
        return all
    }
}
