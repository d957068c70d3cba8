import HTTP2
import NIOCore

/// Calls end: by the peer's status, or before it.
extension ClientConnection {
    func cancel(_ call: ClientStream) {
        if call.sink == nil { call.hasEnded = true }
        finish(call, RPCError(.cancelled, "call was cancelled"), dropping: true)
    }

    func expire(_ call: ClientStream) { finish(call, Self.expired, dropping: true) }

    static var expired: RPCError { RPCError(.deadlineExceeded, "deadline exceeded after the call began") }

    /// As the peer's status says.
    func finish(_ call: ClientStream) {
        finish(call, call.status?.error)
    }

    /// The same when the connection has ended, of a call whose answer is all here and was not read yet.
    func finishUnread(_ call: ClientStream) {
        call.isClosed = true
        guard let reader = call.reader.take() else { return finish(call) }
        var unread = UnreadMessages(reader)
        if case .streaming(let state, _) = call.sink {
            state.inbound.leave(unread)
            return finish(call)
        }
        do throws(RPCError) {
            while let payload = try unread.next() { deliver(payload, credit: 0, to: call) }
            finish(call)
        } catch {
            fail(call, error)
        }
    }

    func finish(_ call: ClientStream, _ error: RPCError?, dropping: Bool = false) {
        guard !call.hasEnded else { return }
        call.hasEnded = true
        var error = error ?? call.missingMessage
        if let error, let limit = error.limit { LimitCounters.client.count(limit, peer: peer, error.message, logger) }
        if call.isCommitted { error?.isCommitted = true }
        if let ticket = call.ticket.take() { budget.cancel(ticket) }
        // Someone may hold the call for long, but not half a message and its memory.
        call.reader = nil
        call.inflater = nil
        if let id = call.id {
            calls.remove(id)
            // Nobody listens any more; after a status, the rest of what we would send is not wanted, and may wait for its window
            // for ever.
            if !call.isClosed, !call.isRemoteDone || session.isSending(id) {
                session.reset(stream: id, code: .cancel)
            }
        } else {
            pending.removeAll { $0 === call }
        }
        deliverEnd(call, error, dropping: dropping)
    }

    func deliverEnd(_ call: ClientStream, _ error: RPCError?, dropping: Bool = false) {
        let trailers = call.status?.trailers ?? error?.metadata ?? [:]
        switch call.sink.take() {
        case .unary(_, let receiver):
            if error == nil, let payload = call.response {
                receiver.ended(
                    .success(UnaryResponse(payload, metadata: call.initialMetadata, trailers: trailers)))
            } else {
                receiver.ended(.failure((error ?? RPCError(.internal, "call ended without an answer")).withheld))
            }
        case .streaming(let state, let opened):
            if let opened {
                opened.resume(throwing: (error ?? RPCError(.internal, "call ended before it began")).withheld)
            }
            state.end(error?.withheld, trailers: trailers, dropping: dropping)
        case nil: break
        }
        call.response = nil
        closeIfDrained()
    }

    func arm(_ time: NIODeadline?) {
        guard let time else { return }
        timer?.cancel()
        timer = eventLoop.assumeIsolated().scheduleTask(deadline: time) { [weak self] in self?.lookAtDeadlines() }
    }

    private func lookAtDeadlines() {
        sweep.fired()
        let now = NIODeadline.now()
        for call in openCalls + Array(pending) {
            if let deadline = call.options.deadline?.instant {
                guard deadline > now else {
                    expire(call)
                    continue
                }
                _ = sweep.add(deadline)
            }
            if let due = call.due {
                if due <= now { call.tellDue() } else { _ = sweep.add(due) }
            }
        }
        arm(sweep.armed)
        flush()
    }
}
