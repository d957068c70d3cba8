import HTTP2
import Logging
import NIOCore

/// One client's connection: turns HTTP/2 events into calls, and what handlers do into frames.
///
/// Lives on its event loop, from accept until the channel is closed and the last handler has returned.
final class ServerConnection: HTTP2Delegate, LoopBound {
    let context: ServerContext
    let session: Session
    let peer: String
    /// The client's, if it was asked for and is good.
    var certificate: PeerCertificate?
    let eventLoop: any EventLoop
    private(set) var http2: HTTP2Handler?
    private(set) var inbox: LoopInbox<ServerConnection>?
    var calls = StreamTable<ServerCall>()
    /// Unary calls whose handlers begin with the next `beginHandlers`.
    var ready = CircularBuffer<ServerCall>()
    var memo = RequestMemo()
    var intake: LargeIntake
    var window: LoneWindow
    var trial: WindowTrial
    /// With the other connections from its address.
    let share: AddressShare
    var held: HeldCalls
    var isStartingHeld = false
    var sweep = DeadlineSweep()
    var timer: Scheduled<Void>?
    /// Handlers that run, also those whose stream is gone: a peer cannot start more by resetting streams.
    var running: Int { places.running }
    var places: HandlerPlaces
    var unsent: UnsentShare
    let mostRunning: Int
    /// The next answer says what we take (`grpc-accept-encoding`).
    var hasAnswered = false
    private(set) var hasEnded = false
    private var watch: ServerWatch?
    /// Where handlers go on that have begun on the loop; nil: in Swift's pool.
    let keeper: LoopExecutor?
    private let poll: LoopPoll
    private let pollTime: TimeAmount?

    static func make(
        on channel: any Channel, sharing share: AddressShare, context: ServerContext
    ) throws -> ServerConnection {
        let connection = try ServerConnection(channel: channel, share: share, context: context)
        let handler = HTTP2Handler(
            session: connection.session, delegate: connection,
            handshakeTimeout: TimeAmount(context.configuration.handshakeTimeout),
            lingerTimeout: TimeAmount(context.configuration.lingerTimeout))
        connection.http2 = handler
        connection.watch = ServerWatch(connection, http2: handler, configuration: context.configuration)
        connection.inbox = LoopInbox(connection, on: channel.eventLoop)
        try channel.pipeline.syncOperations.addHandler(handler)
        try ReceiveAllocator(for: handler, isPlain: context.tls == nil).install(on: channel)
        connection.watch?.start(on: channel.eventLoop)
        return connection
    }

    private init(channel: any Channel, share: AddressShare, context: ServerContext) throws(HTTP2Error) {
        self.context = context
        self.share = share
        var settings = SessionSettings()
        let limits = context.configuration
        settings.initialStreamWindowBytes = limits.initialStreamWindowBytes
        settings.connectionWindowBytes = limits.connectionWindowBytes
        settings.maxFrameBytes = limits.maxFrameBytes
        settings.maxConcurrentStreams = limits.maxConcurrentStreams
        settings.maxHeaderListBytes = limits.maxMetadataBytes
        settings.maxHeaderFields = limits.maxMetadataFields
        settings.maxOutputBytes = limits.maxOutputBytes
        settings.flood = limits.flood
        settings.lowUnsentBytes = limits.startUnsentBytes
        intake = LargeIntake(windowBytes: settings.connectionWindowBytes)
        window = LoneWindow(narrow: limits.initialStreamWindowBytes, wide: limits.loneStreamWindowBytes)
        trial = WindowTrial(narrow: limits.connectionWindowBytes, wide: limits.loneConnectionWindowBytes)
        held = HeldCalls(maxRunning: limits.maxHeldHandlers)
        places = HandlerPlaces(context.handlers, share.handlers)
        unsent = UnsentShare(context.unsent, share.unsent)
        session = try Session(role: .server, settings: settings)
        peer = channel.peerName
        eventLoop = channel.eventLoop
        keeper = limits.keepsHandlersOnLoop ? LoopExecutor(eventLoop) : nil
        poll = .of(eventLoop)
        pollTime = limits.busyPoll.map { TimeAmount($0) }
        mostRunning = limits.maxRunningHandlers ?? limits.maxConcurrentStreams
    }

    func flush() {
        http2?.flush()
        unsent.fit(session.unsentBytes)
    }

    // ---- events ----

    func received(_ event: SessionEvent) {
        beginHandlers()
        switch event {
        case .headers(let stream, let fields, let endStream): open(stream, fields, endStream: endStream)
        // They say nothing in gRPC.
        case .trailers(let stream, _): if let call = calls[stream] { requestEnded(call) }
        case .oversizedHeaders(let stream, let fields, let bytes):
            let limits = context.configuration
            let error = RPCError(
                .resourceExhausted,
                "metadata of \(fields) fields and \(bytes) bytes exceeds limit \(limits.maxMetadataFields) fields, \(limits.maxMetadataBytes) bytes",
                limit: .metadata
            )
            // They may be the trailers of a call that runs.
            guard let call = calls[stream] else {
                answer(stream, error)
                return reportUnfit(nil, error)
            }
            finish(call, error)
        case .rejected(let stream, let limit):
            context.limits.count(limit, peer: peer, "stream \(stream)", context.logger)
        case .ended(let stream): if let call = calls[stream] { requestEnded(call) }
        case .closed(let stream, let code): closed(stream, code)
        case .sent(let stream, let bytes):
            calls[stream]?.gate?.sent(bytes)
            unsent.fit(session.unsentBytes)
        case .drained: startHeld()
        case .ping: watch?.pingReceived()
        case .pingAcknowledged(let payload): watch?.pingAnswered(payload)
        case .data, .request, .settings, .goAway: break
        }
    }

    func eventsTold() {
        beginHandlers()
        unsent.fit(session.unsentBytes)
        if let pollTime, let http2 { poll.worked(at: http2.readTime, limit: pollTime) }
    }

    func received(stream: Int32, data: ByteBuffer) {
        beginHandlers()
        guard let call = calls[stream], !call.isAnswered else { return }
        receivePart(data, of: call)
    }

    func room(stream: Int32, upTo bytes: Int) -> ByteBuffer? { place(stream: stream, upTo: bytes) }

    private func closed(_ stream: Int32, _ code: ErrorCode) {
        unsent.fit(session.unsentBytes)
        guard let call = calls.remove(stream) else { return }
        held.remove(call)
        guard !call.isAnswered else { return }
        call.end(RPCError(.cancelled, "peer ended the call: \(code)"), budget: context.budget)
    }

    func ended(_ reason: (any Error)?) {
        beginHandlers()
        timer?.cancel()
        let error = RPCError(.cancelled, "connection to \(peer) ended", cause: reason, lostConnection: true)
        calls.forEach { $0.end(error, budget: context.budget) }
        calls.removeAll()
        held.removeAll()
        if let error = reason as? HTTP2Error, let limit = error.limit {
            context.limits.count(limit, peer: peer, error.message, context.logger)
        } else if let error = reason as? IOError, error.isOfSilentPeer {
            context.limits.count(.stalledOutput, peer: peer, "the peer takes nothing", context.logger)
        } else if let reason {
            context.logger.debug(
                "connection ended", metadata: ["peer": "\(peer)", "reason": "\(SystemError.forLog(reason))"])
        }
        hasEnded = true
        // They hold this connection.
        http2 = nil
        watch?.stop()
        watch = nil
        leaveIfDone()
    }

    private func leaveIfDone() {
        guard hasEnded, running == 0, let inbox else { return }
        places.leave()
        unsent.leave()
        context.connections.remove(inbox)
        // It holds this connection.
        self.inbox = nil
    }

    // ---- handlers ----

    /// - Returns: false if there is no place for it, and the call was answered.
    func handlerBegins(_ call: ServerCall) -> Bool {
        if places.begin() { return true }
        let pool = context.handlers
        finish(
            call,
            pool.count >= pool.limit
                ? RPCError(.resourceExhausted, "the server runs \(pool.limit) handlers", limit: .serverHandlers)
                : RPCError(
                    .resourceExhausted, "the server runs \(share.handlers.count) handlers for this address",
                    limit: .addressHandlers))
        return false
    }

    /// The handler of `call` has returned, and has left its outcome there.
    func take(_ call: ServerCall) {
        guard let outcome = call.outcome.take() else { return }
        take(call, outcome)
    }

    func take(_ call: ServerCall, _ outcome: ServerCall.Outcome) {
        places.end()
        call.task = nil
        switch outcome {
        case .answered(let response, let handled):
            call.times.handled = handled
            finish(call, with: response)
        case .ended: finish(call, nil)
        case .failed(let error): finish(call, error)
        }
        if held.ended(call, hasRoom: hasRoomToSpare) { startHeld() }
        leaveIfDone()
    }

    // ---- for `ServerWatch` ----

    var hasCalls: Bool { running > 0 || !calls.isEmpty }

    /// Running calls finish, new ones go elsewhere.
    func drain() { watch?.drain() }

    /// Ends a call whose client takes its answer too slowly; what waits is dropped.
    func cut(_ stream: Int32, _ error: RPCError) {
        if let call = calls[stream], !call.isAnswered { finish(call, error) } else { count(error) }
        session.reset(stream: stream, code: .cancel)
    }
}
