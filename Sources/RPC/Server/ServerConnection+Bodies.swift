import HTTP2
import NIOCore

/// Bodies of requests become messages.
extension ServerConnection: MessageReceiver {
    var budget: MemoryBudget { context.budget }

    func receivePart(_ data: ByteBuffer, of call: ServerCall) {
        intake.now = now
        receive(data, of: call)
        fitWindows()
    }

    /// Tells the client of the window that its next streams have, and its connection. Readers count what a wider one lets
    /// wait.
    private func fitWindows() {
        if let change = window.change(aloneInARow: intake.aloneInARow, mayWiden: { budget.hasPlenty }) {
            session.announceStreamWindow(bytes: change)
        }
        let whole = intake.takeWholeAlone()
        guard window.isWide else { return endTrial() }
        if let (bytes, time) = whole, let change = trial.received(bytes: bytes, in: time) {
            session.setConnectionWindow(bytes: change)
        }
    }

    /// A call that comes in the middle of a large message waits behind all that is on its way.
    func callComes() {
        if intake.isReceiving { endTrial() }
    }

    private func endTrial() {
        if let change = trial.end() { session.setConnectionWindow(bytes: change) }
    }

    func requestEnded(_ call: ServerCall) {
        if !call.isAnswered { receiveEnd(of: call) }
    }

    func fail(_ call: ServerCall, _ error: RPCError) { finish(call, error) }

    func deliver(_ payload: Payload, credit: Int, to call: ServerCall) {
        call.traffic.received(payload)
        if let inbound = call.inbound {
            // A stream is credited while it runs, and its consumer may be slow: a wide window would only let more wait.
            intake.notAlone()
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

    func received(allOf call: ServerCall) {
        if let inbound = call.inbound { return inbound.finish(nil) }
        guard call.request != nil else {
            return finish(
                call, RPCError(.internal, "call of \(call.context.path) has no message", limit: .malformedCall))
        }
        call.times.received = now
        call.headPlace = nil
        if mayStart { start(call) } else { held.add(call) }
    }

    /// Else too much waits to be sent already.
    var mayStart: Bool { held.isEmpty && session.unsentBytes <= context.configuration.startUnsentBytes }

    func startHeld() {
        // A handler that has returned at once asks for the next.
        guard !isStartingHeld else { return }
        isStartingHeld = true
        defer { isStartingHeld = false }
        while session.unsentBytes <= context.configuration.startUnsentBytes, let call = held.next() { start(call) }
    }

    /// Of those that are held, one more may run at a time.
    var hasRoomToSpare: Bool { session.unsentBytes <= context.configuration.startUnsentBytes / 2 }

    /// Of what all connections, and those of its address, may have waiting.
    var hasRoomForAnswers: Bool { unsent.hasRoom(beside: session.unsentBytes) }

    /// A unary call whose request has come whole.
    private func start(_ call: ServerCall) {
        guard let request = call.request.take() else { return }
        guard hasRoomForAnswers else {
            finish(call, tooMuchUnsent(with: UnsentShare.stepBytes))
            // It was held, perhaps, and leaves its place to the next.
            _ = held.ended(call, hasRoom: hasRoomToSpare)
            return
        }
        switch call.method.handler {
        case .immediate(let body) where request.inflater.map { $0.maxBytes > Inflater.mostOnLoop } ?? false:
            prepare(call, request) { try body($0, $1) }
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

extension ServerCall: ReceivingCall {
    var isOver: Bool { isAnswered }
    var streamID: Int32? { stream }
    var creditStream: Int32? { stream }
}
