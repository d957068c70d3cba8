package import Logging
package import Metrics
package import NIOCore
package import RPC
import Synchronization

/// Sends the spans of a process to a receiver, over OTLP on gRPC.
///
/// Life: `tracer` makes spans from the beginning; `run()` sends them until `stop()` is called, sends what waits within
/// `flushTime`, and ends. A receiver that is away costs spans, which are counted, and nothing else.
package final class TraceExporter: Sendable {
    private let queue: SpanQueue
    private let channel: RPCChannel
    private let resource: TraceResource
    private let limits: TraceLimits
    private let metrics: TraceMetrics
    private let logger: Logger
    private let lines = LineGates()
    /// Why the last request was not taken; nil: it was.
    private let trouble = Mutex<StatusCode?>(nil)
    package let tracer: MeshTracer

    /// - Parameters:
    ///   - ratio: of the traces that begin here.
    ///   - headers: sent with each request, for receivers that ask who calls.
    package init(
        to endpoint: TraceEndpoint, ratio: Double, resource: TraceResource, headers: Metadata = Metadata(),
        limits: TraceLimits, metrics: any MetricsFactory, group: any EventLoopGroup, logger: Logger
    ) throws(RPCError) {
        var connecting = EndpointConfiguration()
        connecting.client.tls = endpoint.tls
        var calling = RPCChannelConfiguration()
        if !headers.isEmpty { calling.interceptors = [ExportHeaders(headers: headers)] }
        channel = try RPCChannel(
            to: "\(endpoint.address)", endpoint: connecting, configuration: calling, group: group, logger: logger)
        let queue = SpanQueue(limit: limits.queuedSpans, batch: limits.batchSpans)
        let counters = TraceMetrics(metrics)
        tracer = MeshTracer(ratio: ratio) { span in
            if !queue.add(span) { counters.dropped(1, queue.isClosed ? .shutdown : .queueFull) }
        }
        self.queue = queue
        self.metrics = counters
        self.resource = resource
        self.limits = limits
        self.logger = logger
    }

    /// Sends what comes until `stop()`, or until its task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            let batch = await queue.next(within: limits.interval)
            guard !batch.isEmpty else { break }
            await send(batch)
        }
        metrics.dropped(queue.abandon(), .shutdown)
        channel.close()
    }

    /// No more spans come; what waits is sent, once.
    package func stop() { queue.close() }

    /// Exports while `body` runs, and then what is left of it.
    package func exporting<Value: Sendable>(_ body: (MeshTracer) async throws -> Value) async rethrows -> Value {
        let work = Task { await run() }
        do {
            let value = try await body(tracer)
            await flush(work)
            return value
        } catch {
            await flush(work)
            throw error
        }
    }

    /// A receiver that did not take the last request is not waited for.
    private func flush(_ work: Task<Void, Never>) async {
        stop()
        if trouble.withLock({ $0 }) != nil { work.cancel() }
        let limit = Task { [limits] in
            try? await Task.sleep(for: limits.flushTime)
            work.cancel()
        }
        await work.value
        limit.cancel()
    }

    private func send(_ batch: [FinishedSpan]) async {
        let request = Payload(ExportRequest.encode(batch, of: resource))
        var retry = ExportRetry(limits, start: .now())
        var random = SystemRandomNumberGenerator()
        while true {
            do {
                let answer = try await channel.unary(
                    ExportRequest.path, request, options: CallOptions(deadline: .after(limits.timeout)))
                let response = try ExportResponse.decode(answer.payload.message)
                metrics.asked(.ok)
                if trouble.withLock({ $0.take() }) != nil { logger.notice("traces are taken again") }
                return took(batch.count, response)
            } catch {
                let error = error as? RPCError ?? RPCError(.unknown, "\(error)")
                if error.code != .ok { metrics.asked(error.code) }
                let wait = retry.wait(after: error, at: .now(), using: &random)
                note(error)
                guard !queue.isClosed, let wait, (try? await Task.sleep(for: wait)) != nil else {
                    return metrics.dropped(batch.count, queue.isClosed || Task.isCancelled ? .shutdown : .failed)
                }
            }
        }
    }

    private func took(_ count: Int, _ response: ExportResponse) {
        let rejected = min(response.rejected, count)
        metrics.exported(count - rejected)
        metrics.dropped(rejected, .rejected)
        guard rejected > 0 || !response.message.isEmpty, let skipped = lines.pass("rejected") else { return }
        var fields: Logger.Metadata = ["rejected": "\(rejected)", "reason": "\(PeerText.escaped(response.message))"]
        if skipped > 0 { fields["skipped"] = "\(skipped)" }
        logger.notice("the receiver of traces did not take all", metadata: fields)
    }

    /// What goes on is said once: a receiver that is away may be away for days.
    private func note(_ error: RPCError) {
        let isNew = trouble.withLock { trouble in
            // What is cut off at the end says nothing more of the receiver.
            if trouble == error.code || Task.isCancelled && trouble != nil { return false }
            trouble = error.code
            return true
        }
        guard isNew else { return }
        logger.notice(
            "traces are not taken", metadata: ["code": "\(error.code)", "reason": "\(PeerText.escaped(error.message))"])
    }
}

/// Adds the same fields to each request.
private struct ExportHeaders: ClientInterceptor {
    let headers: Metadata

    func prepare(_ call: inout OutgoingCall) async throws {
        for (key, value) in headers { if case .ascii(let text) = value { call.options.metadata.add(key, text) } }
    }
}
