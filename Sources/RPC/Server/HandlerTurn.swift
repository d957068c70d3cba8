import NIOCore

/// Begins handlers on the event loop, one after the other in one task for as long as none of them waits: to make a task
/// costs half as much as a small call. A handler that waits keeps the task, as if it were its own, and the next
/// ones get another.
///
/// Touched on the loop only, while `Task.immediate` has not returned; after that by the handler that waited, which only
/// asks `isOver` on the loop.
final class HandlerTurn: @unchecked Sendable {
    private let connection: ServerConnection
    private let inbox: LoopInbox<ServerConnection>?
    private let eventLoop: any EventLoop
    /// Its handler runs.
    private var current: ServerCall?
    private var begun = NIODeadline.now()
    /// The task has given the loop back.
    private var isOver = false

    init(_ connection: ServerConnection) {
        self.connection = connection
        inbox = connection.inbox
        eventLoop = connection.eventLoop
    }

    func run() async {
        // A handler may have cancelled its own task.
        while !Task.isCancelled, let call = next() {
            guard case .unary(let body) = call.method.handler, let request = call.request.take() else { continue }
            let outcome = await call.outcome(of: body, request)
            guard eventLoop.inEventLoop, !isOver else {
                call.outcome = outcome
                if call.rendezvous.arrive() { inbox?.submit(call) }
                return
            }
            ended(call, outcome)
        }
    }

    private func next() -> ServerCall? {
        current = connection.nextReady()
        return current
    }

    private func ended(_ call: ServerCall, _ outcome: ServerCall.Outcome) {
        measure(call)
        current = nil
        connection.take(call, outcome)
    }

    /// The end of one handler is the begin of the next.
    private func measure(_ call: ServerCall) {
        let now = NIODeadline.now()
        call.method.pace.started(in: now - begun, at: now)
        begun = now
    }

    /// `Task.immediate` has returned.
    /// - Returns: the call whose handler waits.
    func end() -> ServerCall? {
        isOver = true
        if let current { measure(current) }
        return current
    }
}

extension ServerCall {
    /// How a handler ended: one value, as the handler may have ended on another thread than that of the call's loop.
    enum Outcome: Sendable {
        /// A unary one, and when, where that is measured.
        case answered(UnaryResponse, handled: NIODeadline?)
        /// A streaming one.
        case ended
        case failed(RPCError)
    }

    /// The pool was busy until nobody waited for the answer any more; or inflating took so long.
    static let tooLate = Outcome.failed(RPCError(.cancelled, "the call was over before its handler began"))

    func outcome(
        of body: @Sendable (CallContext, Payload) async throws -> UnaryResponse, _ request: Payload
    ) async -> Outcome {
        do {
            let inflated = try request.inflated()
            if request.inflater != nil, Task.isCancelled { return Self.tooLate }
            let response = try await body(context, inflated).deflated(in: self)
            try response.payload.checkLengths()
            return .answered(response, handled: method.chain?.isTimed ?? false ? NIODeadline.now() : nil)
        } catch {
            return .failed(RPCError(handler: error))
        }
    }
}
