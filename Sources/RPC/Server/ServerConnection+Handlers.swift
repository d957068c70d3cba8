import HTTP2
import NIOCore

/// Handlers run in tasks.
extension ServerConnection {
    /// A task of its own per call, because each must be cancelled by itself, which the children of a task group cannot.
    /// Its owner is the call; the connection, and so `RPCServer.run()`, waits for all.
    func run(
        _ call: ServerCall, _ request: Payload,
        _ body: @escaping @Sendable (CallContext, Payload) async throws -> UnaryResponse
    ) {
        guard let inbox else { return }
        handlerBegins()
        let operation: @Sendable () async -> Void = {
            do {
                let response = try await body(call.context, request.inflated()).deflated(in: call)
                try response.payload.checkLengths()
                call.outcome = .success(response)
            } catch {
                call.outcome = .failure(RPCError(handler: error))
            }
            if call.rendezvous.arrive() { inbox.submit(call) }
        }
        // Inflating takes its time before the handler takes any.
        guard request.inflater == nil, context.configuration.startsHandlersOnLoop, call.method.pace.startsOnLoop else {
            calls.set(call.stream, call)
            _ = call.rendezvous.arrive()
            call.task = Task(operation: operation)
            return
        }
        let start = NIODeadline.now()
        call.task = Task.immediate(operation: operation)
        call.method.pace.started(in: .now() - start)
        // Most need no place in the table.
        if call.rendezvous.arrive() { take(call) } else { calls.set(call.stream, call) }
    }

    func run(
        _ call: ServerCall,
        _ body: @escaping @Sendable (CallContext, MessageStream, ResponseWriter) async throws -> Void
    ) {
        guard let inbox else { return }
        let limits = context.configuration
        let inbound = InboundQueue(
            creditStep: limits.initialStreamWindowBytes / 4, maxMessages: limits.maxQueuedMessages
        ) { bytes in
            inbox.submit { $0.taken(call, credit: bytes) }
        }
        let gate = OutboundGate()
        call.inbound = inbound
        call.gate = gate
        handlerBegins()
        call.task = Task {
            do {
                try await body(
                    call.context, MessageStream(queue: inbound), ResponseWriter(call: call, gate: gate, inbox: inbox))
                call.outcome = .success(nil)
            } catch {
                call.outcome = .failure(RPCError(handler: error))
            }
            inbox.submit(call)
        }
    }
}
