import Logging
import MetricsTestKit
import NIOCore
import RPC
import Synchronization
import TestSupport
import Testing
import Tracing

@testable import Traces

@Suite struct ExportRetryTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private static func wait(_ error: RPCError, after time: TimeAmount = .zero) -> Duration? {
        var random = SystemRandomNumberGenerator()
        var retry = ExportRetry(TraceLimits(), start: start)
        return retry.wait(after: error, at: start + time, using: &random)
    }

    /// As OTLP has it.
    @Test(arguments: [
        (StatusCode.cancelled, true), (.unknown, false), (.invalidArgument, false), (.deadlineExceeded, true),
        (.notFound, false), (.alreadyExists, false), (.permissionDenied, false), (.resourceExhausted, false),
        (.failedPrecondition, false), (.aborted, true), (.outOfRange, true), (.unimplemented, false),
        (.internal, false), (.unavailable, true), (.dataLoss, true), (.unauthenticated, false),
    ])
    func theStatusDecides(_ code: StatusCode, _ canBeRetried: Bool) {
        #expect((Self.wait(RPCError(code, "no")) != nil) == canBeRetried)
    }

    @Test func aReceiverThatIsFullIsAskedAgainWhenItSays() {
        // RetryInfo { retry_delay { seconds: 2 nanos: 500000000 } }
        let info = ByteBuffer(bytes: [0x0a, 0x08, 0x08, 0x02, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01])
        let details = [RichStatus.Detail(typeURL: "type.googleapis.com/google.rpc.RetryInfo", value: info)]
        for code in [StatusCode.resourceExhausted, .unavailable] {
            let error = RPCError(RichStatus(code, "full", details: details))
            #expect(error.richStatus?.retryDelay == .milliseconds(2500))
            #expect(Self.wait(error) == .milliseconds(2500))
        }
    }

    /// RetryInfo with seconds of its largest number, again and again; below zero; nothing; longer than there is time.
    @Test(arguments: [
        ([UInt8](repeatElement([0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], count: 6).joined()), nil),
        ([0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], nil),
        ([0x10, 0x80, 0x94, 0xeb, 0xdc, 0x03], nil),
        ([], Duration.zero), ([0x08, 0x01, 0x08, 0x02], .seconds(2)),
        ([0x08, 0x80, 0xbc, 0xae, 0xce, 0x97, 0x09], .seconds(315_576_000_000)),
    ])
    func aDelayOfAReceiverIsTakenAsFarAsItIsOne(_ duration: [UInt8], _ expected: Duration?) throws {
        let info = ByteBuffer(bytes: [0x0a, UInt8(duration.count)] + duration)
        let details = [RichStatus.Detail(typeURL: "type.googleapis.com/google.rpc.RetryInfo", value: info)]
        let error = RPCError(RichStatus(.unavailable, "full", details: details))
        #expect(error.richStatus?.retryDelay == expected)
        if let expected, expected > .seconds(60) {
            #expect(Self.wait(error) == nil)
        } else {
            #expect(try #require(Self.wait(error)) > .zero, "never at once")
        }
    }

    @Test func itIsNotTriedForEver() {
        #expect(Self.wait(RPCError(.unavailable, "no"), after: .seconds(30)) != nil)
        #expect(Self.wait(RPCError(.unavailable, "no"), after: .seconds(60)) == nil)
    }
}

@Suite(.timeLimit(.minutes(5))) struct SpanQueueTests {
    private static func span(_ name: String) -> FinishedSpan {
        var random = SystemRandomNumberGenerator()
        let trace = TraceContext(
            trace: .random(using: &random), span: .random(using: &random), isSampled: true)
        return FinishedSpan(name: name, kind: .internal, trace: trace, start: 1, end: 2)
    }

    @Test func itHoldsSoManyAndGivesThemInOrder() async {
        let queue = SpanQueue(limit: 3, batch: 2)
        #expect(["a", "b", "c", "d"].map { queue.add(Self.span($0)) } == [true, true, true, false])
        #expect(await queue.next(within: .seconds(600)).map(\.name) == ["a", "b"])
        #expect(await queue.next(within: .milliseconds(1)).map(\.name) == ["c"])
        #expect(queue.add(Self.span("e")))
        queue.close()
        #expect(!queue.add(Self.span("f")))
        #expect(await queue.next(within: .seconds(600)).map(\.name) == ["e"])
        #expect(await queue.next(within: .seconds(600)).isEmpty)
    }

    @Test func whoWaitsIsWokenByAFullBatchAndByTheEnd() async {
        for isClosed in [false, true] {
            let queue = SpanQueue(limit: 100, batch: 2)
            async let next = queue.next(within: .seconds(600))
            try? await Task.sleep(for: .milliseconds(20))
            _ = queue.add(Self.span("a"))
            if isClosed { queue.close() } else { _ = queue.add(Self.span("b")) }
            #expect(await next.map(\.name) == (isClosed ? ["a"] : ["a", "b"]))
        }
    }
}

@Suite(.timeLimit(.minutes(5))) struct TraceExporterTests {
    private static let service = "opentelemetry.proto.collector.trace.v1.TraceService"
    private static let resource = TraceResource(service: "s", version: "1", instance: "i", host: "h", process: 1)

    private static func limits(_ change: (inout TraceLimits) -> Void = { _ in }) -> TraceLimits {
        var limits = TraceLimits()
        limits.interval = .milliseconds(10)
        limits.timeout = .seconds(60)
        limits.backoff = Backoff(initial: .milliseconds(1), longest: .milliseconds(1))
        change(&limits)
        return limits
    }

    private static func exporter(
        to address: String, _ metrics: TestMetrics, _ limits: TraceLimits, _ logger: Logger = TestServer.logger
    ) throws -> TraceExporter {
        try TraceExporter(
            to: TraceEndpoint(parsing: "http://\(address)"), ratio: 1, resource: resource, limits: limits,
            metrics: metrics, group: TestServer.group, logger: logger)
    }

    private static func count(_ metrics: TestMetrics, _ name: String, _ dimensions: [(String, String)] = []) -> Int64 {
        ((try? metrics.expectCounter(name, dimensions))?.totalValue) ?? 0
    }

    private static func drops(_ metrics: TestMetrics, _ reason: String) -> Int64 {
        count(metrics, "framemesh_trace_drops_total", [("reason", reason)])
    }

    /// ExportTraceServiceResponse { partial_success { rejected_spans: … error_message: … } }
    private static func partialSuccess(rejected: UInt8, _ reason: String) -> ByteBuffer {
        func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
            var field: [UInt8] = [number << 3 | 2]
            var rest = bytes.count
            while rest > 0x7f {
                field.append(UInt8(rest & 0x7f) | 0x80)
                rest >>= 7
            }
            field.append(UInt8(rest))
            return field + bytes
        }
        return ByteBuffer(bytes: field(1, [1 << 3, rejected] + field(2, Array(reason.utf8))))
    }

    @Test func whatEndsIsSentAndTheRestAtTheEnd() async throws {
        let metrics = TestMetrics()
        let requests = Atomic(0)
        try await TestServer.with(
            of: Self.service,
            [
                "Export": .unary { _, _ in
                    requests.add(1, ordering: .relaxed)
                    return UnaryResponse(Payload(ByteBuffer()))
                }
            ]
        ) { address in
            let exporter = try Self.exporter(to: address, metrics, Self.limits { $0.batchSpans = 4 })
            await exporter.exporting { tracer in
                for index in 0..<10 { tracer.begin("span \(index)", .internal, below: nil).span?.end() }
            }
        }
        #expect(Self.count(metrics, "framemesh_trace_spans_total") == 10)
        #expect(requests.load(ordering: .relaxed) == 3)
        #expect(Self.count(metrics, "framemesh_trace_requests_total", [("code", "OK")]) == 3)
    }

    @Test func aRequestThatFailsForATimeIsSentAgain() async throws {
        let metrics = TestMetrics()
        let recorder = LogRecorder()
        let requests = Atomic(0)
        try await TestServer.with(
            of: Self.service,
            [
                "Export": .unary { _, _ in
                    if requests.add(1, ordering: .relaxed).newValue < 4 { throw RPCError(.unavailable, "later") }
                    return UnaryResponse(Payload(ByteBuffer()))
                }
            ]
        ) { address in
            let exporter = try Self.exporter(to: address, metrics, Self.limits(), recorder.logger)
            try await exporter.exporting { tracer in
                tracer.begin("a", .internal, below: nil).span?.end()
                while Self.count(metrics, "framemesh_trace_spans_total") == 0 {
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
        }
        #expect(requests.load(ordering: .relaxed) == 4)
        #expect(Self.count(metrics, "framemesh_trace_requests_total", [("code", "UNAVAILABLE")]) == 3)
        let said = recorder.lines.filter { $0.message == "traces are not taken" }
        #expect(said.map { $0.metadata["code"] } == ["UNAVAILABLE"], "once, while it goes on")
        #expect(recorder.lines.count { $0.message == "traces are taken again" } == 1)
    }

    @Test func whatIsRefusedForGoodIsCountedAndNotSentAgain() async throws {
        let metrics = TestMetrics()
        let requests = Atomic(0)
        try await TestServer.with(
            of: Self.service,
            [
                "Export": .unary { _, _ in
                    requests.add(1, ordering: .relaxed)
                    throw RPCError(.invalidArgument, "never")
                }
            ]
        ) { address in
            let exporter = try Self.exporter(to: address, metrics, Self.limits())
            try await exporter.exporting { tracer in
                tracer.begin("a", .internal, below: nil).span?.end()
                while Self.drops(metrics, "failed") == 0 { try await Task.sleep(for: .milliseconds(5)) }
            }
        }
        #expect(requests.load(ordering: .relaxed) == 1)
        #expect(Self.drops(metrics, "failed") == 1)
    }

    /// What the receiver made of it nobody knows; to send it again could make two of each.
    @Test func anAnswerThatCannotBeReadIsOneRequestThatFailed() async throws {
        let metrics = TestMetrics()
        try await TestServer.with(
            of: Self.service, ["Export": .unary { _, _ in UnaryResponse(Payload(ByteBuffer(bytes: [0x0a, 0x7f]))) }]
        ) { address in
            let exporter = try Self.exporter(to: address, metrics, Self.limits())
            await exporter.exporting { tracer in tracer.begin("a", .internal, below: nil).span?.end() }
        }
        let counts = ["OK", "INTERNAL"].map { code in
            Self.count(metrics, "framemesh_trace_requests_total", [("code", code)])
        }
        #expect(counts == [0, 1])
        #expect(Self.drops(metrics, "failed") + Self.drops(metrics, "shutdown") == 1)
    }

    @Test func aPartialSuccessIsCountedAndNotSentAgain() async throws {
        let metrics = TestMetrics()
        let recorder = LogRecorder()
        let answer = Self.partialSuccess(rejected: 2, "no")
        try await TestServer.with(
            of: Self.service, ["Export": .unary { _, _ in UnaryResponse(Payload(answer)) }]
        ) { address in
            let exporter = try Self.exporter(to: address, metrics, Self.limits(), recorder.logger)
            await exporter.exporting { tracer in
                for _ in 0..<3 { tracer.begin("a", .internal, below: nil).span?.end() }
            }
        }
        #expect(Self.drops(metrics, "rejected") == 2)
        #expect(Self.count(metrics, "framemesh_trace_spans_total") == 1)
        let said = recorder.lines.first { $0.message == "the receiver of traces did not take all" }
        #expect(said?.metadata["reason"] == "no")
    }

    /// Longer than a string of a message may be that we keep or tell others: cut, and the rest of the answer counts.
    @Test(arguments: [16_384, 16_385, 1 << 20])
    func ofALongReasonTheBeginningIsLogged(_ bytes: Int) async throws {
        let metrics = TestMetrics()
        let recorder = LogRecorder()
        let answer = Self.partialSuccess(rejected: 2, String(repeating: "n", count: bytes))
        // All in one request, at the end.
        let limits = Self.limits { ($0.interval, $0.flushTime) = (.seconds(600), .seconds(60)) }
        try await TestServer.with(
            of: Self.service, ["Export": .unary { _, _ in UnaryResponse(Payload(answer)) }]
        ) { address in
            let exporter = try Self.exporter(to: address, metrics, limits, recorder.logger)
            await exporter.exporting { tracer in
                for _ in 0..<3 { tracer.begin("a", .internal, below: nil).span?.end() }
            }
        }
        #expect(Self.drops(metrics, "rejected") == 2)
        #expect(Self.drops(metrics, "failed") == 0)
        #expect(Self.count(metrics, "framemesh_trace_spans_total") == 1)
        let said = recorder.lines.first { $0.message == "the receiver of traces did not take all" }
        #expect(said?.metadata["reason"] == String(repeating: "n", count: 256) + "…")
    }

    @Test func aReceiverThatIsDownCostsSpansAndNothingElse() async throws {
        let metrics = TestMetrics()
        // Nobody listens there.
        let exporter = try Self.exporter(
            to: "127.0.0.1:1", metrics,
            Self.limits {
                $0.queuedSpans = 5
                $0.batchSpans = 5
                $0.interval = .seconds(60)
            })
        for _ in 0..<12 { exporter.tracer.begin("a", .internal, below: nil).span?.end() }
        #expect(Self.drops(metrics, "queue_full") == 7)
        await exporter.exporting { _ in }
        #expect(Self.drops(metrics, "shutdown") == 5)
        exporter.tracer.begin("late", .internal, below: nil).span?.end()
        #expect(Self.drops(metrics, "shutdown") == 6)
        #expect(Self.count(metrics, "framemesh_trace_spans_total") == 0)
    }

    @Test func aReceiverThatHangsHoldsUpTheEndForSoLongOnly() async throws {
        let metrics = TestMetrics()
        try await TestServer.with(
            of: Self.service,
            [
                "Export": .unary { _, request in
                    try await Task.sleep(for: .seconds(600))
                    return UnaryResponse(request)
                }
            ]
        ) { address in
            let exporter = try Self.exporter(to: address, metrics, Self.limits { $0.flushTime = .milliseconds(50) })
            await exporter.exporting { tracer in tracer.begin("a", .internal, below: nil).span?.end() }
        }
        #expect(Self.drops(metrics, "shutdown") == 1)
    }

    @Test func aReceiverThatIsKnownToBeAwayDoesNotHoldUpTheEnd() async throws {
        let metrics = TestMetrics()
        let exporter = try Self.exporter(
            to: "127.0.0.1:1", metrics,
            Self.limits {
                $0.flushTime = .seconds(3600)
                $0.backoff = Backoff(initial: .seconds(3600), longest: .seconds(3600))
                $0.retryTime = .seconds(36_000)
            })
        try await exporter.exporting { tracer in
            tracer.begin("a", .internal, below: nil).span?.end()
            while Self.count(metrics, "framemesh_trace_requests_total", [("code", "UNAVAILABLE")]) == 0 {
                try await Task.sleep(for: .milliseconds(5))
            }
            tracer.begin("b", .internal, below: nil).span?.end()
        }
        #expect(Self.drops(metrics, "shutdown") == 2)
    }

    /// docs/observability.md names every limit, with its default.
    @Test func theDocumentListsEveryLimit() throws {
        let listed = try DocumentTable.all(of: "observability.md").flatMap { $0.words(in: "limit of traces") }
        #expect(listed.sorted() == TraceLimits.limits.map(\.name).sorted())
    }

    @Test(arguments: [
        ("http://collector:4317", "collector:4317", false), ("https://collector", "collector:4317", true),
        ("http://[::1]", "[::1]:4317", false), ("http://[::1]:99/v1/traces", "[::1]:99", false),
        ("127.0.0.1:4317", "127.0.0.1:4317", false), ("unix:/run/otlp", "unix:/run/otlp", false),
    ])
    func endpointsAreRead(_ text: String, _ address: String, _ isSecure: Bool) throws {
        let endpoint = try TraceEndpoint(parsing: text)
        #expect("\(endpoint)" == address)
        #expect((endpoint.tls != nil) == isSecure)
    }

    @Test(arguments: ["", "collector", "ftp://collector:1", "http://", "http://collector:port"])
    func othersAreNone(_ text: String) {
        #expect(throws: RPCError.self) { try TraceEndpoint(parsing: text) }
    }
}
