import HTTP2
import NIOCore

/// What the peer answers becomes messages and a status.
extension ClientConnection: MessageReceiver {
    func received(stream: Int32, data: ByteBuffer) {
        guard let call = calls[stream], !call.hasEnded else { return }
        guard call.hasHead else {
            return finish(call, RPCError(.internal, "peer sent DATA before a response head", limit: .malformedCall))
        }
        if call.reader == nil {
            if let payload = onlyPayload(in: data, of: call) {
                call.response = payload
                return
            }
            makeReader(call)
        }
        receive(data, of: call)
    }

    func room(stream: Int32, upTo bytes: Int) -> ByteBuffer? { place(stream: stream, upTo: bytes) }

    /// The usual answer to a small unary call: one message in one piece, which needs no reader.
    private func onlyPayload(in data: ByteBuffer, of call: ClientStream) -> Payload? {
        guard call.response == nil, data.readableBytes < MemoryBudget.smallestReservation else { return nil }
        let most = min(limit(configuration.maxMessageBytes, call), configuration.maxAttachmentBytes)
        return Framing.onlyPayload(in: data, attachments: call.takesAttachments, maxBytes: most)?.copied()
    }

    /// Where the call takes less than the connection.
    private func limit(_ bytes: Int, _ call: ClientStream) -> Int { min(bytes, call.options.maxResponseBytes ?? bytes) }

    private func makeReader(_ call: ClientStream) {
        let parser = MessageParser(
            takesAttachments: call.takesAttachments, inflater: call.inflater,
            maxMessageBytes: limit(configuration.maxMessageBytes, call),
            maxAttachmentBytes: limit(configuration.maxAttachmentBytes, call))
        call.reader = MessageReader(
            parser: parser, windowBytes: configuration.initialStreamWindowBytes,
            maxEmptyMessages: configuration.maxEmptyMessages, share: share)
    }

    func received(_ fields: HeaderFields, endStream: Bool, _ call: ClientStream) {
        guard !call.hasEnded else { return }
        if let head = memo.head(fields) {
            gotAnswer()
            if let identity = head.identity { announced(identity) }
            if let trouble = head.trouble { return finish(call, trouble) }
            guard !call.hasHead else {
                return finish(call, RPCError(.internal, "peer sent two response heads", limit: .malformedCall))
            }
            call.hasHead = true
            if endStream {
                call.status = memo.trailers(fields)
                return remoteDone(call)
            }
            begin(call, head)
        } else if endStream {
            call.status = memo.trailers(fields)
            remoteDone(call)
        }
    }

    private func begin(_ call: ClientStream, _ head: ResponseHead) {
        call.isCommitted = true
        do {
            call.initialMetadata = try head.metadata.get()
            call.inflater = try acceptedEncodings.inflater(
                for: head.encoding, refusal: .internal, maxBytes: limit(configuration.maxMessageBytes, call),
                budget: budget, share: share,
                server: Inflater.Server(name: peer, logger: logger))
        } catch {
            return finish(call, error)
        }
        if case .streaming(let state, _) = call.sink {
            makeReader(call)
            state.received(.success(call.initialMetadata))
        }
    }

    func received(allOf call: ClientStream) { finish(call) }

    func fail(_ call: ClientStream, _ error: RPCError) { finish(call, call.status?.error ?? error) }

    func deliver(_ payload: Payload, credit: Int, to call: ClientStream) {
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
    func remoteDone(_ call: ClientStream) {
        guard !call.hasEnded, !call.isRemoteDone else { return }
        call.isRemoteDone = true
        if call.status == nil { call.status = CallStatus(trailers: [], maxMetadata: 0) }
        guard call.reader != nil, call.status?.error == nil || call.isStreaming else { return finish(call) }
        receiveEnd(of: call)
    }

    func closed(_ stream: Int32, _ code: ErrorCode) {
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
            return Self.error(ofReset: code, deadline: call.options.deadline)
        }
        var error = RPCError(.unavailable, goAway ?? "peer reset the stream: \(code)", neverStarted: true)
        error.wasRefused = true
        return error
    }

    /// A server whose timer was the first to fire may say CANCEL; ours is looked at in steps.
    static func error(ofReset code: ErrorCode, deadline: Deadline?) -> RPCError {
        if code == .cancel, deadline?.hasPassed ?? false { return expired }
        return RPCError(.fromHTTP2(errorCode: code.rawValue), "peer reset the stream: \(code)")
    }

    private func afterStreamClosed() {
        openPending()
        closeIfDrained()
    }
}

extension ClientStream: ReceivingCall {
    var isOver: Bool { hasEnded }
    var streamID: Int32? { id }
    var creditStream: Int32? { isRemoteDone ? nil : id }
}
