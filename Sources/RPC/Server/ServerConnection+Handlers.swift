import HTTP2
import NIOCore

/// Handlers run in tasks.
extension ServerConnection {
    /// Lets the handler of a unary call begin: on the loop with the next `beginHandlers`, or in Swift's pool.
    func prepare(
        _ call: ServerCall, _ request: Payload,
        _ body: @escaping @Sendable (CallContext, Payload) async throws -> UnaryResponse
    ) {
        guard let inbox, handlerBegins(call) else {
            // It was held, perhaps, and leaves its place to the next.
            _ = held.ended(call, hasRoom: hasRoomToSpare)
            return
        }
        // Inflating takes its time before the handler takes any.
        if request.inflater == nil, startsOnLoop(call) {
            call.request = request
            return ready.append(call)
        }
        calls.set(call.stream, call)
        call.task = Task {
            call.outcome = Task.isCancelled ? ServerCall.tooLate : await call.outcome(of: body, request)
            inbox.submit(call)
        }
    }

    /// Of handlers that are trusted to go on there it is not measured how long they take to start: on a busy machine, that says who
    /// else wanted the processor.
    private func startsOnLoop(_ call: ServerCall) -> Bool {
        guard context.configuration.startsHandlersOnLoop else { return false }
        return keeper != nil || call.method.pace.startsOnLoop(at: now)
    }

    /// One whose handler is to begin. While too much of other answers waits, all are held.
    func nextReady() -> ServerCall? {
        guard session.unsentBytes > context.configuration.startUnsentBytes else { return ready.popFirst() }
        while let call = ready.popFirst() {
            places.end()
            calls.set(call.stream, call)
            held.add(call)
        }
        return nil
    }

    /// Begins the handlers that are ready. An owner of one calls it before it looks at anything else that came.
    func beginHandlers() {
        while !ready.isEmpty {
            let turn = HandlerTurn(self)
            let task = Task.immediate(executorPreference: keeper) { await turn.run() }
            guard let call = turn.end() else { continue }
            call.task = task
            if call.rendezvous.arrive() { take(call) } else { calls.set(call.stream, call) }
        }
    }

    /// A task of its own per call, because each must be cancelled by itself, which the children of a task group cannot.
    /// Its owner is the call; the connection, and so `RPCServer.run()`, waits for all.
    func run(
        _ call: ServerCall,
        _ body: @escaping @Sendable (CallContext, MessageStream, ResponseWriter) async throws -> Void
    ) {
        guard let inbox, handlerBegins(call) else { return }
        let limits = context.configuration
        let inbound = InboundQueue(
            creditStep: limits.initialStreamWindowBytes / 4, maxBytes: limits.maxQueuedBytes,
            memory: QueuedShare(context.budget, share.memory)
        ) { bytes in
            inbox.submit { $0.taken(call, credit: bytes) }
        }
        let gate = OutboundGate(limitBytes: limits.maxQueuedOutputBytes)
        call.inbound = inbound
        call.gate = gate
        call.task = Task {
            do {
                if Task.isCancelled { throw CancellationError() }
                try await body(
                    call.context, MessageStream(queue: inbound), ResponseWriter(call: call, gate: gate, inbox: inbox))
                call.outcome = .ended
            } catch {
                call.outcome = .failed(RPCError(handler: error))
            }
            inbox.submit(call)
        }
    }
}
