import HTTP2
import Logging
import NIOCore

/// The client's end of a connection: turns calls into HTTP/2 frames, and events into answers.
///
/// Lives on its event loop, from connect until the channel is closed; then it fails every call with the reason.
final class ClientConnection: HTTP2Delegate, LoopBound {
    private let configuration: ClientConfiguration
    private let budget: MemoryBudget
    private let acceptedEncodings: AcceptedEncodings
    private let authority: String
    private let peer: String
    private let eventLoop: any EventLoop
    private let session: Session
    private var http2: HTTP2Handler?
    private(set) var inbox: LoopInbox<ClientConnection>?
    let status = ConnectionStatus()
    /// Completed by the peer's first SETTINGS.
    private var ready: EventLoopPromise<Void>?
    let isReady: EventLoopFuture<Void>

    private var calls: [Int32: ClientStream] = [:]
    /// They wait for the peer's stream limit.
    private var pending = CircularBuffer<ClientStream>()
    private var peerStreamLimit: UInt32 = 0
    private var openStreams = 0
    private var intake: LargeIntake
    private var sweep = DeadlineSweep()
    private var timer: Scheduled<Void>?
    private var isDraining = false
    private var goAway: String?
    private var end: RPCError?
    private var closeReason: RPCError?

    static func make(
        on channel: any Channel, peer: String, authority: String, configuration: ClientConfiguration,
        budget: MemoryBudget
    ) throws -> ClientConnection {
        let connection = try ClientConnection(
            eventLoop: channel.eventLoop, peer: peer, authority: authority, configuration: configuration,
            budget: budget)
        let handler = HTTP2Handler(
            session: connection.session, delegate: connection,
            handshakeTimeout: TimeAmount(configuration.connectTimeout))
        connection.http2 = handler
        connection.inbox = LoopInbox(connection, on: channel.eventLoop)
        try channel.pipeline.syncOperations.addHandler(handler)
        return connection
    }

    private init(
        eventLoop: any EventLoop, peer: String, authority: String, configuration: ClientConfiguration,
        budget: MemoryBudget
    ) throws {
        self.eventLoop = eventLoop
        self.peer = peer
        self.authority = authority
        self.configuration = configuration
        self.budget = budget
        acceptedEncodings = AcceptedEncodings(configuration.acceptedCompression)
        var settings = SessionSettings()
        settings.initialStreamWindowBytes = configuration.initialStreamWindowBytes
        settings.maxFrameBytes = configuration.maxFrameBytes
        settings.maxHeaderListBytes = configuration.maxMetadataBytes
        settings.maxHeaderFields = configuration.maxMetadataFields
        settings.flood = configuration.flood
        intake = LargeIntake(windowBytes: settings.connectionWindowBytes)
        session = try Session(role: .client, settings: settings)
        let promise = eventLoop.makePromise(of: Void.self)
        ready = promise
        isReady = promise.futureResult
    }

    func flush() { http2?.flush() }

    // ---- calls begin ----

    func start(_ call: ClientStream, _ sink: ClientStream.Sink) {
        call.sink = sink
        // Cancelled before it came here.
        if call.hasEnded { return deliverEnd(call, RPCError(.cancelled, "call was cancelled", neverStarted: true)) }
        if let end {
            var error = end
            error.neverStarted = true
            return finish(call, error)
        }
        if let trouble = closeReason?.message ?? goAway ?? (isDraining ? "connection to \(peer) drains" : nil) {
            return finish(call, RPCError(.unavailable, trouble, neverStarted: true))
        }
        if let deadline = call.options.deadline {
            guard !deadline.hasPassed else { return expire(call) }
            arm(sweep.add(deadline.instant))
        }
        guard pending.isEmpty, openStreams < peerStreamLimit else { return wait(call) }
        open(call)
    }

    private func wait(_ call: ClientStream) {
        guard pending.count < configuration.maxPendingCalls else {
            return finish(
                call,
                RPCError(
                    .resourceExhausted,
                    "\(pending.count) calls wait for a stream of \(peer), limit \(configuration.maxPendingCalls)",
                    neverStarted: true, limit: .pendingCalls))
        }
        pending.append(call)
    }

    private func open(_ call: ClientStream) {
        call.takesAttachments = configuration.offersAttachments && status.attachmentPeer != nil
        let id: Int32
        do throws(HTTP2Error) {
            id = try session.request(head(of: call))
        } catch {
            status.stopUse()
            return finish(call, RPCError(.unavailable, error.message, cause: error, neverStarted: true))
        }
        call.id = id
        calls[id] = call
        openStreams += 1
        switch call.sink {
        case .unary(let request, _):
            send(request, on: call)
            finishSending(call)
        case .streaming(let state, let opened):
            call.sink = .streaming(state, opened: nil)
            opened?.resume()
        case nil: break
        }
    }

    private static let userAgent = "framemesh-swift/0.1"

    private func head(of call: ClientStream) -> [HeaderField] {
        var fields = [
            HeaderField(":method", "POST"), HeaderField(":scheme", configuration.tls == nil ? "http" : "https"),
            HeaderField(":path", call.path),
            HeaderField(":authority", authority), HeaderField("te", "trailers"),
            HeaderField("content-type", call.takesAttachments ? Framing.attachmentType : Framing.plainType),
            HeaderField("user-agent", Self.userAgent),
        ]
        if let deadline = call.options.deadline {
            fields.append(HeaderField("grpc-timeout", Timeout.encode(deadline.remaining)))
        }
        if let field = acceptedEncodings.field { fields.append(field) }
        if call.options.compression != .identity {
            fields.append(HeaderField("grpc-encoding", call.options.compression.rawValue))
        }
        if call.options.previousAttempts > 0 {
            fields.append(HeaderField("grpc-previous-rpc-attempts", "\(call.options.previousAttempts)"))
        }
        call.options.metadata.encode(into: &fields)
        return fields
    }

    private func openPending() {
        while openStreams < peerStreamLimit, let call = pending.popFirst() {
            if !call.hasEnded { open(call) }
        }
    }

    // ---- sending ----

    func send(_ payload: Payload, on call: ClientStream) {
        guard let id = call.id, !call.hasEnded, !call.hasFinishedSending else { return }
        let prefix = payload.write(attachments: call.takesAttachments) { session.send(stream: id, $0) }
        if case .streaming(let state, _) = call.sink { state.gate.addPrefix(prefix) }
    }

    func finishSending(_ call: ClientStream) {
        guard let id = call.id, !call.hasEnded, !call.hasFinishedSending else { return }
        call.hasFinishedSending = true
        session.finish(stream: id)
    }

    func credit(_ bytes: Int, on call: ClientStream) {
        if let id = call.id, !call.isRemoteDone { session.credit(stream: id, bytes: bytes) }
    }

    /// The reader of a streaming call has taken messages.
    func taken(_ call: ClientStream, credit bytes: Int) {
        credit(bytes, on: call)
        guard call.isHeldBack, !call.hasEnded else { return }
        call.isHeldBack = false
        pump(call)
    }

    // ---- events ----

    func received(_ event: SessionEvent) {
        switch event {
        case .headers(let stream, let fields, let endStream):
            if let call = calls[stream] { received(Array(fields), endStream: endStream, call) }
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
        case .rejected(let stream, let limit): LimitCounters.client.count(limit, peer: peer, "stream \(stream)", nil)
        case .ended(let stream): if let call = calls[stream] { remoteDone(call) }
        case .closed(let stream, let code): closed(stream, code)
        case .sent(let stream, let bytes):
            if case .streaming(let state, _) = calls[stream]?.sink { state.gate.sent(bytes) }
        case .settings(let limit):
            peerStreamLimit = limit
            ready.take()?.succeed()
            openPending()
        case .goAway(_, let code, let debug): received(goAway: code, debug)
        case .data, .request, .pingAcknowledged: break
        }
    }

    func received(stream: Int32, data: ByteBuffer) {
        guard let call = calls[stream], !call.hasEnded else { return }
        guard call.hasHead else {
            return finish(call, RPCError(.internal, "peer sent DATA before a response head"))
        }
        call.reader?.receive(data)
        pump(call)
        while let stream = intake.next() { goOn(stream) }
    }

    private func received(_ fields: [HeaderField], endStream: Bool, _ call: ClientStream) {
        guard !call.hasEnded else { return }
        if let status = fields.first(where: { $0.name == ":status" })?.value {
            // 100 to 199 are news on the way.
            if status.hasPrefix("1"), !endStream { return }
            if let identity = fields.first(where: { $0.name == Framing.framingHeader }).flatMap({
                Framing.identity(in: $0.value)
            }) {
                self.status.announced(identity)
            }
            if let trouble = CallStatus.trouble(withHead: fields) { return finish(call, trouble) }
            guard !call.hasHead else { return finish(call, RPCError(.internal, "peer sent two response heads")) }
            call.hasHead = true
            if endStream {
                call.status = CallStatus(trailers: fields)
                return remoteDone(call)
            }
            begin(call, fields)
        } else if endStream {
            call.status = CallStatus(trailers: fields)
            remoteDone(call)
        }
    }

    private func begin(_ call: ClientStream, _ fields: [HeaderField]) {
        call.isCommitted = true
        let inflater: Inflater?
        do {
            call.initialMetadata = try .decode(fields)
            inflater = try acceptedEncodings.inflater(
                for: fields.first { $0.name == "grpc-encoding" }?.value, refusal: .internal,
                maxBytes: configuration.maxMessageBytes, budget: budget, server: peer)
        } catch {
            return finish(call, error)
        }
        let parser = MessageParser(
            takesAttachments: call.takesAttachments, inflater: inflater,
            maxMessageBytes: configuration.maxMessageBytes, maxAttachmentBytes: configuration.maxAttachmentBytes)
        call.reader = MessageReader(
            parser: parser, windowBytes: configuration.initialStreamWindowBytes,
            maxEmptyMessages: configuration.maxEmptyMessages)
        if case .streaming(let state, _) = call.sink { state.received(.success(call.initialMetadata)) }
    }

    private func pump(_ call: ClientStream) {
        while !call.hasEnded, !call.isHeldBack, let output = call.reader?.next(budget, intake) {
            switch output {
            case .message(let payload, let credit): deliver(payload, credit: credit, to: call)
            case .credit(let bytes): self.credit(bytes, on: call)
            case .park(let bytes): park(call, bytes)
            case .queue: queue(call)
            case .end: finish(call)
            case .failed(let error): finish(call, call.status?.error ?? error)
            }
        }
    }

    private func park(_ call: ClientStream, _ bytes: Int) {
        guard let inbox else { return }
        call.ticket = budget.wait(for: bytes) { lease in
            inbox.submit { connection in
                call.ticket = nil
                // Else the lease is let go.
                guard !call.hasEnded else { return }
                call.reader?.granted(lease)
                connection.pump(call)
            }
        }
    }

    private func queue(_ call: ClientStream) {
        guard let id = call.id else { return }
        if !intake.hasWaiting { tickLater() }
        intake.wait(id)
    }

    private func goOn(_ stream: Int32) {
        guard let call = calls[stream], !call.hasEnded else { return }
        call.reader?.turnCame()
        pump(call)
    }

    private func tickLater() {
        eventLoop.assumeIsolated().scheduleTask(in: LargeIntake.tickInterval) { [weak self] in
            guard let self else { return }
            if let stream = intake.tick() { goOn(stream) }
            while let stream = intake.next() { goOn(stream) }
            if intake.hasWaiting { tickLater() }
            flush()
        }
    }

    private func deliver(_ payload: Payload, credit: Int, to call: ClientStream) {
        switch call.sink {
        case .streaming(let state, _):
            guard !state.inbound.push(payload, credit: credit) else { return }
            call.isHeldBack = true
            call.reader?.holdBack()
        case .unary where call.response == nil: call.response = payload
        case .unary:
            finish(
                call, RPCError(.internal, "unary call of \(call.path) got more than one message", limit: .malformedCall)
            )
        case nil: break
        }
    }

    /// The peer ended its side. An error counts at once; OK only after the messages before it.
    private func remoteDone(_ call: ClientStream) {
        guard !call.hasEnded, !call.isRemoteDone else { return }
        call.isRemoteDone = true
        if call.status == nil { call.status = CallStatus(trailers: []) }
        guard call.reader != nil, call.status?.error == nil || isStreaming(call) else { return finish(call) }
        call.reader?.receiveEnd()
        pump(call)
    }

    private func isStreaming(_ call: ClientStream) -> Bool {
        if case .streaming = call.sink { true } else { false }
    }

    private func closed(_ stream: Int32, _ code: ErrorCode) {
        openStreams -= 1
        defer { afterStreamClosed() }
        guard let call = calls[stream] else { return }
        call.isClosed = true
        // Its messages may still wait for memory.
        guard !call.isRemoteDone else { return }
        finish(call, reason(of: code, call))
    }

    private func reason(of code: ErrorCode, _ call: ClientStream) -> RPCError {
        guard code == .refusedStream, !call.hasHead else {
            return RPCError(.fromHTTP2(errorCode: code.rawValue), "peer reset the stream: \(code)")
        }
        var error = RPCError(.unavailable, goAway ?? "peer reset the stream: \(code)", neverStarted: true)
        error.wasRefused = true
        return error
    }

    private func afterStreamClosed() {
        openPending()
        closeIfDrained()
    }

    // ---- calls end ----

    func cancel(_ call: ClientStream) {
        if call.sink == nil { call.hasEnded = true }
        finish(call, RPCError(.cancelled, "call was cancelled"), dropping: true)
    }

    private func expire(_ call: ClientStream) {
        finish(call, RPCError(.deadlineExceeded, "deadline exceeded after the call began"), dropping: true)
    }

    /// As the peer's status says.
    private func finish(_ call: ClientStream) {
        finish(call, call.status?.error)
    }

    private func finish(_ call: ClientStream, _ error: RPCError?, dropping: Bool = false) {
        guard !call.hasEnded else { return }
        call.hasEnded = true
        if let error, let limit = error.limit { LimitCounters.client.count(limit, peer: peer, error.message, nil) }
        var error = error
        if call.isCommitted { error?.isCommitted = true }
        if let ticket = call.ticket.take() { budget.cancel(ticket) }
        // Someone may hold the call for long, but not half a message and its memory.
        call.reader = nil
        if let id = call.id {
            calls[id] = nil
            // Nobody listens any more; after a status, the rest of what we would send is not wanted.
            if !call.isClosed, !call.isRemoteDone || !call.hasFinishedSending {
                session.reset(stream: id, code: .cancel)
            }
        } else {
            pending.removeAll { $0 === call }
        }
        deliverEnd(call, error, dropping: dropping)
    }

    private func deliverEnd(_ call: ClientStream, _ error: RPCError?, dropping: Bool = false) {
        let trailers = call.status?.trailers ?? error?.metadata ?? [:]
        switch call.sink.take() {
        case .unary(_, let continuation):
            if let error {
                continuation.resume(throwing: error)
            } else if let payload = call.response {
                continuation.resume(
                    returning: UnaryResponse(payload, metadata: call.initialMetadata, trailers: trailers))
            } else {
                continuation.resume(throwing: RPCError(.internal, "unary call of \(call.path) got no message"))
            }
        case .streaming(let state, let opened):
            if let opened {
                opened.resume(throwing: error ?? RPCError(.internal, "call ended before it began"))
            }
            state.end(error, trailers: trailers, dropping: dropping)
        case nil: break
        }
        call.response = nil
        closeIfDrained()
    }

    // ---- time ----

    private func arm(_ time: NIODeadline?) {
        guard let time else { return }
        timer?.cancel()
        timer = eventLoop.assumeIsolated().scheduleTask(deadline: time) { [weak self] in self?.lookAtDeadlines() }
    }

    private func lookAtDeadlines() {
        sweep.fired()
        let now = NIODeadline.now()
        for call in Array(calls.values) + Array(pending) {
            guard let deadline = call.options.deadline?.instant else { continue }
            if deadline <= now { expire(call) } else { _ = sweep.add(deadline) }
        }
        arm(sweep.armed)
        flush()
    }

    // ---- the connection ends ----

    private func received(goAway code: ErrorCode, _ debug: String) {
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

    private func closeIfDrained() {
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
            LimitCounters.client.count(limit, peer: peer, error.message, nil)
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
        // Both hold this connection.
        inbox = nil
        http2 = nil
    }

    private func failCalls(_ error: RPCError) {
        for call in Array(calls.values) {
            var lost = error
            lost.lostConnection = true
            finish(call, lost)
        }
        while let call = pending.popFirst() {
            var lost = error
            lost.neverStarted = true
            finish(call, lost)
        }
    }
}
