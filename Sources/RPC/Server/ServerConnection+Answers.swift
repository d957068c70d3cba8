import HTTP2
import NIOCore

/// Answers become frames.
extension ServerConnection {
    func write(_ payload: Payload, to call: ServerCall) {
        guard !call.isAnswered else { return }
        guard mayWait(payload.byteCount) else {
            return finish(call, tooMuchUnsent(with: payload.byteCount), dropping: true)
        }
        call.traffic.sent(payload)
        sendHead(call)
        let framing = payload.write(attachments: call.context.takesAttachments) {
            session.send(stream: call.stream, $0)
        }
        call.gate?.correct(by: framing)
    }

    /// Whether so many bytes more may wait to be sent.
    private func mayWait(_ bytes: Int) -> Bool {
        let waiting = session.unsentBytes
        return waiting <= context.configuration.maxUnsentBytes && unsent.hold(waiting + bytes)
    }

    func sendHead(_ call: ServerCall) {
        guard !call.hasSentHead else { return }
        call.hasSentHead = true
        session.respond(
            stream: call.stream, fields: head(of: call, compression: call.compression.fix()), endStream: false)
    }

    private func head(of call: ServerCall, compression: Compression = .identity) -> [HeaderField] {
        defer { hasAnswered = true }
        return context.headers.head(
            attachments: call.context.takesAttachments, call.initialMetadata, compression: compression,
            isFirst: !hasAnswered)
    }

    // ---- calls end ----

    /// Head, message and status of a unary call, all at once.
    /// - Returns: false if there is more to say than `preparedHead` and `preparedOK` do. Never compressed.
    func reply(_ stream: Int32, _ response: UnaryResponse, attachments: Bool) -> Bool {
        guard hasAnswered, response.metadata.isEmpty, response.trailers.isEmpty, response.payload.attachment == nil,
            mayWait(response.payload.byteCount)
        else { return false }
        let message = response.payload.message
        session.reply(
            stream: stream, head: context.headers.preparedHead(attachments: attachments),
            prefix: ShortBytes(0, UInt32(clamping: message.readableBytes)), body: message,
            trailers: context.headers.preparedOK)
        return true
    }

    /// As a handler on the loop has answered.
    func finish(_ call: ServerCall, _ result: Result<UnaryResponse, RPCError>) {
        do throws(RPCError) { finish(call, with: try result.get().deflated(in: call)) } catch { finish(call, error) }
    }

    func finish(_ call: ServerCall, with response: UnaryResponse) {
        guard !call.isAnswered else { return }
        if call.compression.fix() == .identity,
            reply(call.stream, response, attachments: call.context.takesAttachments)
        {
            call.hasSentHead = true
            call.traffic.sent(response.payload)
            watchAnswer(call.stream, of: call.context)
            return call.answered(nil)
        }
        call.initialMetadata = response.metadata
        call.trailers = response.trailers
        write(response.payload, to: call)
        finish(call, nil)
    }

    /// - Parameters:
    ///   - error: nil for OK.
    ///   - dropping: at once, in the place of what waits to be sent.
    func finish(_ call: ServerCall, _ error: RPCError?, dropping: Bool = false) {
        guard !call.isAnswered else { return }
        call.answered(error)
        if let error { count(error) }
        let status = context.headers.trailers(error, call.trailers)
        if call.hasSentHead || error == nil {
            sendHead(call)
            if dropping {
                session.cutShort(stream: call.stream, trailers: status)
            } else {
                session.finish(stream: call.stream, trailers: status)
                watchAnswer(call.stream, of: call.context)
            }
        } else {
            // Trailers only.
            session.respond(stream: call.stream, fields: head(of: call) + status, endStream: true)
        }
        call.end(error ?? RPCError(.cancelled, "call has been answered"), budget: context.budget)
    }

    func count(_ error: RPCError) {
        if let limit = error.limit { context.limits.count(limit, peer: peer, error.message, context.logger) }
    }

    func answer(_ stream: Int32, _ error: RPCError) {
        count(error)
        let fields = context.headers.head(attachments: false) + context.headers.trailers(error, [:])
        session.respond(stream: stream, fields: fields, endStream: true)
    }

    func answer(_ stream: Int32, _ answer: HTTPAnswer) {
        if answer.status != 200 { context.limits.count(.notGRPC, peer: peer, answer.text, context.logger) }
        session.respond(stream: stream, fields: answer.fields, endStream: !answer.hasBody)
        guard answer.hasBody else { return }
        session.send(stream: stream, ByteBuffer(string: answer.text))
        session.finish(stream: stream)
    }

    func tooMuchUnsent(with bytes: Int) -> RPCError {
        let waiting = session.unsentBytes
        guard waiting <= context.configuration.maxUnsentBytes else {
            return RPCError(.resourceExhausted, "\(waiting) bytes of answers wait to be sent", limit: .unsentAnswers)
        }
        let (all, mine) = (context.unsent.count, share.unsent.count)
        let what =
            all + bytes > context.unsent.limit
            ? "\(all) bytes of answers of this server" : "\(mine) bytes of answers to this address"
        return RPCError(
            .resourceExhausted, "\(what) wait to be sent, and \(bytes) more are too many", limit: .unsentAnswers)
    }

    func expire(_ call: ServerCall) {
        finish(call, Self.expired, dropping: true)
    }

    static var expired: RPCError { RPCError(.deadlineExceeded, "deadline exceeded at the server") }
}
