import HTTP2
import NIOCore

/// A call, as far as it receives messages.
protocol ReceivingCall: AnyObject, Sendable {
    /// nil: not needed yet, or any more.
    var reader: MessageReader? { get set }
    /// The queue of its consumer is full: the reader is not asked.
    var isHeldBack: Bool { get set }
    /// The wait for memory.
    var ticket: MemoryLedger.Ticket? { get set }
    /// It takes no more messages.
    var isOver: Bool { get }
    /// Where credit is of use; nil: nowhere.
    var creditStream: Int32? { get }
    /// nil: not opened.
    var streamID: Int32? { get }
}

/// Either end of a connection, as far as it receives messages: bytes go to the readers of their calls, which wait for
/// memory or for their turn, and what comes out goes to the calls. On its loop.
protocol MessageReceiver: LoopBound {
    associatedtype Call: ReceivingCall

    var session: Session { get }
    var budget: MemoryBudget { get }
    var eventLoop: any EventLoop { get }
    var inbox: LoopInbox<Self>? { get }
    var calls: StreamTable<Call> { get }
    var intake: LargeIntake { get set }

    func deliver(_ payload: Payload, credit: Int, to call: Call)
    /// All messages were delivered.
    func received(allOf call: Call)
    /// What came is wrong.
    func fail(_ call: Call, _ error: RPCError)
}

extension MessageReceiver {
    func receive(_ data: ByteBuffer, of call: Call) {
        call.reader?.receive(data)
        pump(call)
        // Nobody looks at it for long, and the receive buffer around it is many times what is counted.
        if call.isHeldBack { call.reader?.holdBack() }
        while let stream = intake.next() { goOn(stream) }
    }

    /// Where the next bytes of `stream` belong, at most `bytes`; nil: anywhere.
    func place(stream: Int32, upTo bytes: Int) -> ByteBuffer? {
        guard let call = calls[stream], !call.isOver else { return nil }
        return call.reader?.room(upTo: bytes)
    }

    func receiveEnd(of call: Call) {
        call.reader?.receiveEnd()
        pump(call)
    }

    /// The consumer of `call` has taken messages.
    func taken(_ call: Call, credit bytes: Int) {
        credit(bytes, on: call)
        guard call.isHeldBack, !call.isOver else { return }
        call.isHeldBack = false
        pump(call)
    }

    private func credit(_ bytes: Int, on call: Call) {
        if let stream = call.creditStream { session.credit(stream: stream, bytes: bytes) }
    }

    private func pump(_ call: Call) {
        while !call.isOver, !call.isHeldBack, let output = call.reader?.next(budget, intake) {
            switch output {
            case .message(let payload, let credit): deliver(payload, credit: credit, to: call)
            case .credit(let bytes): credit(bytes, on: call)
            case .park(let bytes): park(call, bytes)
            case .queue: queue(call)
            case .end: received(allOf: call)
            case .failed(let error): fail(call, error)
            }
        }
        if !call.isOver, let error = call.reader?.countWaiting(budget) { fail(call, error) }
    }

    /// Until there is memory.
    private func park(_ call: Call, _ bytes: Int) {
        guard let inbox else { return }
        call.ticket = budget.wait(for: bytes, in: call.reader?.share) { lease in
            inbox.submit { connection in
                call.ticket = nil
                // Else the lease is let go.
                guard !call.isOver else { return }
                call.reader?.granted(lease)
                connection.pump(call)
            }
        }
    }

    /// Until other messages have come.
    private func queue(_ call: Call) {
        guard let stream = call.streamID else { return }
        if intake.wait(stream) { tickLater() }
    }

    /// - Returns: false if there is no such call any more.
    @discardableResult private func goOn(_ stream: Int32) -> Bool {
        guard let call = calls[stream], !call.isOver else { return false }
        call.reader?.turnCame()
        pump(call)
        return true
    }

    private func tickLater() {
        eventLoop.assumeIsolated().scheduleTask(in: LargeIntake.tickInterval) { [weak self] in
            guard let self else { return }
            // One whose stream is gone takes no turn from the next.
            while let stream = intake.tick(), !goOn(stream) {}
            while let stream = intake.next() { goOn(stream) }
            if intake.ticksOn() { tickLater() }
            flush()
        }
    }
}
