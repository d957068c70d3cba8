import HTTP2
import NIOCore

/// Bodies of requests become messages.
extension ServerConnection {
    func receive(_ data: ByteBuffer, of call: ServerCall) {
        guard !call.isAnswered else { return }
        call.reader?.receive(data)
        pump(call)
        while let stream = intake.next() { goOn(stream) }
    }

    func requestEnded(_ call: ServerCall) {
        guard !call.isAnswered else { return }
        call.reader?.receiveEnd()
        pump(call)
    }

    private func pump(_ call: ServerCall) {
        while !call.isAnswered, !call.isHeldBack, let output = call.reader?.next(context.budget, intake) {
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

    /// The handler has taken messages.
    func taken(_ call: ServerCall, credit: Int) {
        session.credit(stream: call.stream, bytes: credit)
        guard call.isHeldBack, !call.isAnswered else { return }
        call.isHeldBack = false
        pump(call)
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
        if let inbound = call.inbound {
            guard !inbound.push(payload, credit: credit) else { return }
            call.isHeldBack = true
            call.reader?.holdBack()
            return
        }
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
            let result: Result<UnaryResponse, RPCError>
            do { result = .success(try body(call.context, request.inflated())) } catch {
                result = .failure(RPCError(handler: error))
            }
            finish(call, result)
        case .unary(let body):
            prepare(call, request, body)
            beginHandlers()
        case .stream: break
        }
    }
}
