import HTTP2
import NIOCore

/// Calls become streams, and messages DATA.
extension ClientConnection {
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
        if let error = heads.tooLarge(call.path, call.options.metadata) { return finish(call, error) }
        if let deadline = call.options.deadline {
            guard !deadline.hasPassed else { return expire(call) }
            arm(sweep.add(deadline.instant))
        }
        if let due = call.due { arm(sweep.add(due)) }
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
        call.takesAttachments = configuration.offersAttachments && attachmentPeer != nil
        let id: Int32
        do throws(HTTP2Error) {
            id = try request(call)
        } catch {
            finish(call, RPCError(.unavailable, error.message, cause: error, neverStarted: true))
            // Its ids have run out.
            return drain()
        }
        call.id = id
        calls[id] = call
        openStreams += 1
        switch call.sink {
        case .unary(let request, _) where !call.hasFinishedSending:
            send(request, on: call)
            finishSending(call)
        case .streaming(let state, let opened):
            call.sink = .streaming(state, opened: nil)
            opened?.resume()
        case .unary, nil: break
        }
    }

    /// The head, and where it is a small unary call, all of it.
    private func request(_ call: ClientStream) throws(HTTP2Error) -> Int32 {
        let own = RequestHeads.own(call.options)
        guard let head = heads.prepared(call.path, attachments: call.takesAttachments) else {
            return try session.request(heads.fields(call.path, attachments: call.takesAttachments) + own)
        }
        guard case .unary(let payload, _) = call.sink, payload.attachment == nil else {
            return try session.request(head, own)
        }
        let id = try session.request(head, own, prefix: payload.prefix, body: payload.message)
        call.hasFinishedSending = true
        return id
    }

    func openPending() {
        while openStreams < peerStreamLimit, let call = pending.popFirst() {
            if !call.hasEnded { open(call) }
        }
    }

    func send(_ payload: Payload, on call: ClientStream) {
        guard let id = call.id, !call.hasEnded, !call.hasFinishedSending else { return }
        let framing = payload.write(attachments: call.takesAttachments) { session.send(stream: id, $0) }
        if case .streaming(let state, _) = call.sink { state.gate.correct(by: framing) }
    }

    func finishSending(_ call: ClientStream) {
        guard let id = call.id, !call.hasEnded, !call.hasFinishedSending else { return }
        call.hasFinishedSending = true
        session.finish(stream: id)
    }
}
