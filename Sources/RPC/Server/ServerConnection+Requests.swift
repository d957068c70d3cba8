import HTTP2
import NIOCore

/// Requests become calls.
extension ServerConnection {
    /// A request whose method is known, and that interceptors have admitted.
    private struct Request {
        var context: CallContext
        var encoding: String?
        let method: ServerMethod
        let start: NIODeadline
    }

    // ---- heads ----

    func open(_ stream: Int32, _ fields: HeaderFields, endStream: Bool) {
        guard let request = admit(stream, fields) else { return }
        guard let call = start(stream, request) else { return }
        if endStream { requestEnded(call) }
    }

    /// - Returns: nil if the stream was answered.
    private func admit(_ stream: Int32, _ fields: HeaderFields) -> Request? {
        // Nobody would end its handler.
        guard !hasEnded else { return nil }
        callComes()
        if running >= mostRunning { beginHandlers() }
        guard running < mostRunning else {
            let error = RPCError(.unavailable, "\(running) handlers run", limit: .runningHandlers)
            count(error)
            session.reset(stream: stream, code: .refusedStream)
            reportUnfit(fields, error)
            return nil
        }
        switch memo.judge(fields, context.methods, maxMetadata: context.configuration.maxMetadataFields) {
        case .http(let http): answer(stream, http)
        case .refused(let error):
            answer(stream, error)
            reportUnfit(fields, error)
        case .call(let head): return admit(stream, fields, head)
        }
        return nil
    }

    private func admit(_ stream: Int32, _ fields: HeaderFields, _ head: consuming RequestHead) -> Request? {
        let method = head.method
        let start = now
        var call = CallContext(
            path: method?.path ?? head.path(of: fields), metadata: head.metadata,
            deadline: head.timeout.map { Deadline.after($0, from: start) }, peer: peer, origin: share.origin,
            takesAttachments: head.takesAttachments && context.configuration.attachmentIdentity != nil,
            certificate: certificate,
            acceptedEncodings: head.acceptedEncodings)
        let chain = if let method { method.chain } else { context.unknown }
        do throws(RPCError) {
            try chain?.admit(&call, at: start)
            if let method { return Request(context: call, encoding: head.encoding, method: method, start: start) }
            answerUnknown(stream, call, since: start)
        } catch {
            answer(stream, error)
        }
        return nil
    }

    /// Tells the interceptors of a request that did not become a call.
    /// - Parameter fields: nil: they were too many to be kept.
    func reportUnfit(_ fields: HeaderFields?, _ error: RPCError) {
        guard let chain = context.unknown else { return }
        let path = fields?.first { $0.name == ":path" }?.value ?? ""
        let call = CallContext(
            path: path, metadata: [:], deadline: nil, peer: peer, takesAttachments: false, certificate: certificate)
        chain.report(unfit: call, error, at: now)
    }

    private func answerUnknown(_ stream: Int32, _ call: CallContext, since start: NIODeadline) {
        let error = RPCError(.unimplemented, "method \(call.path.prefix(256)) is not known here")
        answer(stream, error)
        context.unknown?.report(call, error, since: start, traffic: CallTraffic())
    }

    /// - Returns: nil if the stream was answered.
    private func start(_ stream: Int32, _ request: Request) -> ServerCall? {
        let limits = context.configuration
        let method = request.method
        let takesAttachments = request.context.takesAttachments
        let maxMessageBytes = takesAttachments ? method.maxMessageBytes : method.maxPlainBytes
        let inflater: Inflater?
        var place: MemoryBudget.Window?
        do throws(RPCError) {
            if case .stream = method.handler {} else { place = try placeOfHead(request.context, maxMessageBytes) }
            inflater = try context.acceptedEncodings.inflater(
                for: request.encoding, refusal: .unimplemented, maxBytes: maxMessageBytes, budget: context.budget,
                share: share.memory)
        } catch {
            answer(stream, error)
            method.chain?.report(request.context, error, since: request.start, traffic: CallTraffic())
            return nil
        }
        let parser = MessageParser(
            takesAttachments: takesAttachments, inflater: inflater, maxMessageBytes: maxMessageBytes,
            maxAttachmentBytes: method.maxAttachmentBytes)
        let call = begin(stream, request)
        call.headPlace = place
        calls.set(stream, call)
        call.reader = MessageReader(
            parser: parser, windowBytes: limits.initialStreamWindowBytes, maxEmptyMessages: limits.maxEmptyMessages,
            share: share.memory)
        guard watchDeadline(of: call) else { return nil }
        if case .stream(let body) = method.handler { run(call, body) }
        return call
    }

    /// For a head whose message is still to come, and for one that is too small to be reserved for.
    private func placeOfHead(_ call: CallContext, _ maxMessageBytes: Int) throws(RPCError) -> MemoryBudget.Window {
        let bytes = ServerCall.headBytes(call.metadata) + min(maxMessageBytes, MemoryBudget.smallestReservation)
        guard let place = context.budget.holdWindow(bytes, in: share.memory) else {
            throw RPCError(.resourceExhausted, "too many calls wait for their messages", limit: .memoryBudget)
        }
        return place
    }

    private func begin(_ stream: Int32, _ request: Request, _ message: Payload? = nil) -> ServerCall {
        let call = ServerCall(
            stream: stream, context: request.context, method: request.method, start: request.start,
            compression: context.configuration.responseCompression)
        if let message {
            call.traffic.received(message)
            call.times.received = request.start
        }
        return call
    }

    // ---- whole requests ----

    func received(stream: Int32, fields: HeaderFields, body: ByteBuffer) {
        guard let request = admit(stream, fields) else { return }
        let method = request.method
        let most = min(method.maxMessageBytes, method.maxAttachmentBytes, method.handler.mostInPlace)
        let takesAttachments = request.context.takesAttachments
        guard mayStart, hasRoomForAnswers, request.encoding == nil,
            let payload = Framing.onlyPayload(in: body, attachments: takesAttachments, maxBytes: most)
        else { return receiveInParts(stream, request, body) }
        switch request.method.handler {
        case .immediate(let handler):
            // It has the message while it runs, without a copy.
            answer(stream, request, payload, in: body, handler)
        case .unary(let handler):
            // A slice would hold all of the receive buffer for as long as the handler runs.
            let payload = payload.copied()
            let call = begin(stream, request, payload)
            if watchDeadline(of: call) { prepare(call, payload, handler) }
        case .stream: receiveInParts(stream, request, body)
        }
    }

    private func receiveInParts(_ stream: Int32, _ request: Request, _ body: ByteBuffer) {
        guard let call = start(stream, request) else { return }
        receivePart(body, of: call)
        requestEnded(call)
    }

    private func answer(
        _ stream: Int32, _ request: Request, _ message: Payload, in body: ByteBuffer,
        _ handler: @Sendable (CallContext, Payload) throws -> UnaryResponse
    ) {
        do {
            if let deadline = request.context.deadline, deadline.instant <= request.start { throw Self.expired }
            var response = try handler(request.context, message)
            // The answer may wait for long, and is counted by its bytes.
            if body.storageCapacity > ReceiveAllocator.smallBytes { response.payload.leave(body) }
            guard context.configuration.responseCompression == .identity, response.compression == nil,
                reply(stream, response, attachments: request.context.takesAttachments)
            else { return finish(begin(stream, request, message), .success(response)) }
            watchAnswer(stream, of: request.context)
            guard let chain = request.method.chain else { return }
            var traffic = CallTraffic()
            traffic.received(message)
            traffic.sent(response.payload)
            chain.report(request.context, nil, since: request.start, traffic: traffic)
        } catch {
            finish(begin(stream, request, message), RPCError(handler: error))
        }
    }
}

extension RPCHandler {
    /// The largest request that is one event when it came in one read. A handler on the loop has it while it runs, in the
    /// receive buffer, whatever its size; an `async` one has a copy, for which memory is to be reserved from there on.
    fileprivate var mostInPlace: Int {
        if case .immediate = self { .max } else { MemoryBudget.smallestReservation - 1 }
    }
}
