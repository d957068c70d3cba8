import HTTP2
import Logging
import NIOCore

/// One client's connection: turns HTTP/2 events into calls, and what handlers do into frames.
///
/// Lives on its event loop, from accept until the channel is closed.
final class ServerConnection: HTTP2Delegate, LoopBound {
    private let context: ServerContext
    private let session: Session
    private let peer: String
    /// The client's, if it was asked for and is good.
    var certificate: PeerCertificate?
    private let eventLoop: any EventLoop
    private var http2: HTTP2Handler?
    private(set) var inbox: LoopInbox<ServerConnection>?
    private var calls: [Int32: ServerCall] = [:]
    private var intake: LargeIntake
    private var sweep = DeadlineSweep()
    private var timer: Scheduled<Void>?
    /// Handlers that run, also those whose stream is gone: a peer cannot start more by resetting streams.
    private var running = 0
    private static let handlersPerStream = 2
    private var hasAnswered = false
    private var isDraining = false
    /// The second GOAWAY follows when this ping was answered.
    private static let drainPing: UInt64 = 0x6672_616d_6573_6821

    static func make(on channel: any Channel, context: ServerContext) throws -> ServerConnection {
        let connection = try ServerConnection(channel: channel, context: context)
        let handler = HTTP2Handler(
            session: connection.session, delegate: connection,
            handshakeTimeout: TimeAmount(context.configuration.handshakeTimeout))
        connection.http2 = handler
        connection.inbox = LoopInbox(connection, on: channel.eventLoop)
        try channel.pipeline.syncOperations.addHandler(handler)
        return connection
    }

    private init(channel: any Channel, context: ServerContext) throws(HTTP2Error) {
        self.context = context
        var settings = SessionSettings()
        let limits = context.configuration
        settings.initialStreamWindowBytes = limits.initialStreamWindowBytes
        settings.maxFrameBytes = limits.maxFrameBytes
        settings.maxConcurrentStreams = limits.maxConcurrentStreams
        settings.maxHeaderListBytes = limits.maxMetadataBytes
        settings.maxHeaderFields = limits.maxMetadataFields
        intake = LargeIntake(windowBytes: settings.connectionWindowBytes)
        session = try Session(role: .server, settings: settings)
        peer = channel.remoteAddress?.readable ?? "unknown"
        eventLoop = channel.eventLoop
    }

    func flush() { http2?.flush() }

    // ---- events ----

    func received(_ event: SessionEvent) {
        switch event {
        case .headers(let stream, let fields, let endStream):
            if let call = calls[stream] {
                // Trailers of a request say nothing in gRPC.
                if endStream { requestEnded(call) }
            } else {
                open(stream, fields, endStream: endStream)
            }
        case .oversizedHeaders(let stream, let fields, let bytes):
            let limits = context.configuration
            let error = RPCError(
                .resourceExhausted,
                "metadata of \(fields) fields and \(bytes) bytes exceeds limit \(limits.maxMetadataFields) fields, \(limits.maxMetadataBytes) bytes",
                limit: .metadata
            )
            // They may be the trailers of a call that runs.
            if let call = calls[stream] { finish(call, error) } else { answer(stream, error) }
        case .rejected(let stream, let limit):
            context.limits.count(limit, peer: peer, "stream \(stream)", context.logger)
        case .ended(let stream): if let call = calls[stream] { requestEnded(call) }
        case .closed(let stream, let code): closed(stream, code)
        case .sent(let stream, let bytes): calls[stream]?.gate?.sent(bytes)
        case .pingAcknowledged(Self.drainPing): session.finalGoAway()
        case .data, .settings, .pingAcknowledged, .goAway: break
        }
    }

    func received(stream: Int32, data: ByteBuffer) {
        guard let call = calls[stream], !call.isAnswered else { return }
        call.reader?.receive(data)
        pump(call)
        while let stream = intake.next() { goOn(stream) }
    }

    private func requestEnded(_ call: ServerCall) {
        guard !call.isAnswered else { return }
        call.reader?.receiveEnd()
        pump(call)
    }

    private func closed(_ stream: Int32, _ code: ErrorCode) {
        guard let call = calls.removeValue(forKey: stream) else { return }
        call.end(RPCError(.cancelled, "peer ended the call: \(code)"), budget: context.budget)
    }

    func ended(_ reason: (any Error)?) {
        timer?.cancel()
        let error = RPCError(.cancelled, "connection to \(peer) ended", cause: reason, lostConnection: true)
        for call in calls.values { call.end(error, budget: context.budget) }
        calls = [:]
        if let error = reason as? HTTP2Error, let limit = error.limit {
            context.limits.count(limit, peer: peer, error.message, context.logger)
        } else if let reason {
            context.logger.debug("connection ended", metadata: ["peer": "\(peer)", "reason": "\(reason)"])
        }
        // Both hold this connection.
        if let inbox { context.connections.remove(inbox) }
        inbox = nil
        http2 = nil
    }

    // ---- calls begin ----

    private func open(_ stream: Int32, _ fields: [HeaderField], endStream: Bool) {
        guard running < Self.handlersPerStream * context.configuration.maxConcurrentStreams else {
            context.limits.count(.runningHandlers, peer: peer, "\(running) handlers run", context.logger)
            return session.reset(stream: stream, code: .refusedStream)
        }
        switch RequestHead.judge(fields) {
        case .http(let status, let text): answer(stream, status: status, text)
        case .refused(let error): answer(stream, error)
        case .call(let head):
            let limits = context.configuration
            var call = CallContext(
                path: head.path, metadata: head.metadata, deadline: head.timeout.map { Deadline.after($0) }, peer: peer,
                takesAttachments: head.takesAttachments && limits.attachmentIdentity != nil, certificate: certificate,
                acceptedEncodings: head.acceptedEncodings)
            let method = context.methods[head.path]
            let chain = if let method { method.chain } else { context.unknown }
            do throws(RPCError) {
                let start = try chain?.admit(&call) ?? .distantPast
                guard let method else { return answerUnknown(stream, call, since: start) }
                self.start(stream, head, call, method, since: start, endStream: endStream)
            } catch {
                answer(stream, error)
            }
        }
    }

    private func answerUnknown(_ stream: Int32, _ call: CallContext, since start: NIODeadline) {
        let error = RPCError(.unimplemented, "method \(call.path.prefix(256)) is not known here")
        answer(stream, error)
        context.unknown?.report(call, error, since: start, traffic: CallTraffic())
    }

    private func start(
        _ stream: Int32, _ head: RequestHead, _ callContext: CallContext, _ method: ServerMethod,
        since start: NIODeadline, endStream: Bool
    ) {
        let limits = context.configuration
        let takesAttachments = callContext.takesAttachments
        // A plain message may carry pixels as its last field.
        let isPlainPixels = !takesAttachments && limits.attachmentIdentity != nil
        let maxMessageBytes = limits.maxMessageBytes + (isPlainPixels ? limits.maxAttachmentBytes : 0)
        let inflater: Inflater?
        do {
            inflater = try context.acceptedEncodings.inflater(
                for: head.encoding, refusal: .unimplemented, maxBytes: maxMessageBytes, budget: context.budget)
        } catch {
            answer(stream, error)
            method.chain?.report(callContext, error, since: start, traffic: CallTraffic())
            return
        }
        let parser = MessageParser(
            takesAttachments: takesAttachments, inflater: inflater, maxMessageBytes: maxMessageBytes,
            maxAttachmentBytes: limits.maxAttachmentBytes)
        let call = ServerCall(
            stream: stream, context: callContext, method: method, start: start,
            reader: MessageReader(
                parser: parser, windowBytes: limits.initialStreamWindowBytes,
                maxEmptyMessages: limits.maxEmptyMessages), compression: limits.responseCompression)
        calls[stream] = call
        if let deadline = callContext.deadline {
            guard !deadline.hasPassed else { return expire(call) }
            arm(sweep.add(deadline.instant))
        }
        if case .stream(let body) = method.handler { run(call, body) }
        if endStream { requestEnded(call) }
    }

    private func pump(_ call: ServerCall) {
        while !call.isAnswered, let output = call.reader?.next(context.budget, intake) {
            switch output {
            case .message(let payload, let credit): deliver(payload, credit: credit, to: call)
            case .credit(let bytes): session.credit(stream: call.stream, bytes: bytes)
            case .park(let bytes): park(call, bytes)
            case .queue: queue(call)
            case .end: allReceived(call)
            case .failed(let error): finish(call, error)
            }
        }
    }

    private func park(_ call: ServerCall, _ bytes: Int) {
        guard let inbox else { return }
        call.ticket = context.budget.wait(for: bytes) { lease in
            inbox.submit { connection in
                call.ticket = nil
                // Else the lease is let go.
                guard !call.isAnswered else { return }
                call.reader?.granted(lease)
                connection.pump(call)
            }
        }
    }

    private func queue(_ call: ServerCall) {
        if !intake.hasWaiting { tickLater() }
        intake.wait(call.stream)
    }

    private func goOn(_ stream: Int32) {
        guard let call = calls[stream], !call.isAnswered else { return }
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

    private func deliver(_ payload: Payload, credit: Int, to call: ServerCall) {
        call.traffic.received(payload)
        if let inbound = call.inbound { return inbound.push(payload, credit: credit) }
        guard call.request == nil else {
            return finish(
                call,
                RPCError(.internal, "call of \(call.context.path) has more than one message", limit: .malformedCall))
        }
        call.request = payload
    }

    private func allReceived(_ call: ServerCall) {
        if let inbound = call.inbound { return inbound.finish(nil) }
        guard let request = call.request.take() else {
            return finish(
                call, RPCError(.internal, "call of \(call.context.path) has no message", limit: .malformedCall))
        }
        switch call.method.handler {
        case .immediate(let body):
            do {
                finish(call, with: try body(call.context, request.inflated()).deflated(in: call))
            } catch {
                finish(call, RPCError(handler: error))
            }
        case .unary(let body): run(call, request, body)
        case .stream: break
        }
    }

    // ---- handlers run ----

    /// A task of its own per call, because each must be cancelled by itself, which the children of a task group cannot.
    /// Its owner is the call; `RPCServer.run()` waits for all.
    private func run(
        _ call: ServerCall, _ request: Payload,
        _ body: @escaping @Sendable (CallContext, Payload) async throws -> UnaryResponse
    ) {
        guard let inbox else { return }
        running += 1
        context.running.begin()
        let callContext = call.context
        call.task = Task { [running = context.running] in
            let result: Result<UnaryResponse, RPCError>
            do {
                let response = try await body(callContext, request.inflated()).deflated(in: call)
                try response.payload.checkLengths()
                result = .success(response)
            } catch {
                result = .failure(RPCError(handler: error))
            }
            inbox.submit { connection in
                connection.running -= 1
                switch result {
                case .success(let response): connection.finish(call, with: response)
                case .failure(let error): connection.finish(call, error)
                }
            }
            running.end()
        }
    }

    private func run(
        _ call: ServerCall,
        _ body: @escaping @Sendable (CallContext, MessageStream, ResponseWriter) async throws -> Void
    ) {
        guard let inbox else { return }
        let inbound = InboundQueue(creditStep: context.configuration.initialStreamWindowBytes / 4) { bytes in
            inbox.submit { $0.session.credit(stream: call.stream, bytes: bytes) }
        }
        let gate = OutboundGate()
        call.inbound = inbound
        call.gate = gate
        running += 1
        context.running.begin()
        let callContext = call.context
        call.task = Task { [running = context.running] in
            let error: RPCError?
            do {
                try await body(
                    callContext, MessageStream(queue: inbound), ResponseWriter(call: call, gate: gate, inbox: inbox))
                error = nil
            } catch let thrown {
                error = RPCError(handler: thrown)
            }
            inbox.submit { connection in
                connection.running -= 1
                connection.finish(call, error)
            }
            running.end()
        }
    }

    func write(_ payload: Payload, to call: ServerCall) {
        guard !call.isAnswered, calls[call.stream] === call else { return }
        call.traffic.sent(payload)
        sendHead(call)
        let prefix = payload.write(attachments: call.context.takesAttachments) { session.send(stream: call.stream, $0) }
        call.gate?.addPrefix(prefix)
    }

    private func sendHead(_ call: ServerCall) {
        guard !call.hasSentHead else { return }
        call.hasSentHead = true
        session.respond(
            stream: call.stream,
            fields: head(of: call, compression: call.compression.fix()),
            endStream: false)
    }

    private func head(of call: ServerCall, compression: Compression = .identity) -> [HeaderField] {
        defer { hasAnswered = true }
        return context.headers.head(
            attachments: call.context.takesAttachments, call.initialMetadata, compression: compression,
            isFirst: !hasAnswered)
    }

    // ---- calls end ----

    private func finish(_ call: ServerCall, with response: UnaryResponse) {
        guard !call.isAnswered else { return }
        call.initialMetadata = response.metadata
        call.trailers = response.trailers
        write(response.payload, to: call)
        finish(call, nil)
    }

    /// - Parameter error: nil for OK.
    private func finish(_ call: ServerCall, _ error: RPCError?) {
        guard !call.isAnswered, calls[call.stream] === call else { return }
        call.answered(error)
        if let error { count(error) }
        let status = context.headers.trailers(error, call.trailers)
        if call.hasSentHead || error == nil {
            sendHead(call)
            session.finish(stream: call.stream, trailers: status)
        } else {
            // Trailers only.
            session.respond(stream: call.stream, fields: head(of: call) + status, endStream: true)
        }
        call.end(error ?? RPCError(.cancelled, "call has been answered"), budget: context.budget)
    }

    private func count(_ error: RPCError) {
        if let limit = error.limit { context.limits.count(limit, peer: peer, error.message, context.logger) }
    }

    private func answer(_ stream: Int32, _ error: RPCError) {
        count(error)
        let fields = context.headers.head(attachments: false) + context.headers.trailers(error, [:])
        session.respond(stream: stream, fields: fields, endStream: true)
    }

    private func answer(_ stream: Int32, status: Int, _ text: String) {
        if status != 200 { context.limits.count(.notGRPC, peer: peer, text, context.logger) }
        session.respond(
            stream: stream,
            fields: [
                HeaderField(":status", "\(status)"), HeaderField("content-type", "text/plain"),
                HeaderField("content-length", "\(text.utf8.count)"),
            ], endStream: false)
        session.send(stream: stream, ByteBuffer(string: text))
        session.finish(stream: stream)
    }

    private func expire(_ call: ServerCall) {
        finish(call, RPCError(.deadlineExceeded, "deadline exceeded at the server"))
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
        for call in calls.values where !call.isAnswered {
            guard let deadline = call.context.deadline?.instant else { continue }
            if deadline <= now { expire(call) } else { _ = sweep.add(deadline) }
        }
        arm(sweep.armed)
        flush()
    }

    /// GOAWAY with the largest id; when a ping has gone round, so that no stream is on its way, the real one.
    func drain() {
        guard !isDraining else { return }
        isDraining = true
        session.announceGoAway()
        session.ping(Self.drainPing)
    }
}
