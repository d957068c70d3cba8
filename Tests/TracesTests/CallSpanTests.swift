import Logging
import NIOCore
import RPC
import Synchronization
import Testing
import Tracing

@testable import Traces

@Suite(.timeLimit(.minutes(5))) struct CallSpanTests {
    private static let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    private static let path = "/test.Service/Do"

    private static func interceptors(_ tracer: MeshTracer, begins: Bool = true) -> [any ServerInterceptor] {
        [ServerTraces(tracer, beginningAt: begins ? [path] : [])]
    }

    @Test func stagesThatRanAtOnceAreLaidBesideEachOther() async throws {
        let server = SpanCollector()
        try await TestServer.with(
            [
                "Do": .unary { context, request in
                    let span = context.values[TracedWork.self]?.span
                    span?.went(through: [("decode", .microseconds(100)), ("detect.infer", .microseconds(500))])
                    span?.went(
                        through: [("classify.infer", .microseconds(300)), ("classify.postprocess", .microseconds(50))],
                        beside: .microseconds(350))
                    try await Task.sleep(for: .milliseconds(20))
                    return UnaryResponse(request)
                }
            ], interceptors: Self.interceptors(server.tracer(ratio: 1))
        ) { address in
            let client = SpanCollector()
            let channel = try TestServer.channel(to: address, client.tracer())
            _ = try await channel.unary(Self.path, Payload(ByteBuffer(string: "x")))
            channel.close()
            try await server.wait(for: 7)
        }
        func stage(_ name: String) throws -> FinishedSpan { try #require(server.named(name).first) }
        let (detect, classify) = (try stage("detect.infer"), try stage("classify.infer"))
        #expect(detect.start == (try stage("decode")).end)
        #expect(classify.start == detect.end - 350_000 && classify.end == classify.start + 300_000)
        let last = try stage("classify.postprocess")
        #expect(last.start == classify.end && last.end == detect.end)
    }

    @Test func aCallIsOneTraceWithTheRightParents() async throws {
        let (client, server) = (SpanCollector(), SpanCollector())
        let seen = Mutex<[TraceContext?]>([])
        try await TestServer.with(
            [
                "Do": .unary { context, request in
                    seen.withLock { $0.append(InstrumentationContext.current?.trace) }
                    context.values[TracedWork.self]?.span?.went(
                        through: [("queue", .milliseconds(1)), ("infer", .milliseconds(2))])
                    try await Task.sleep(for: .milliseconds(20))
                    return UnaryResponse(request)
                }
            ], interceptors: Self.interceptors(server.tracer(ratio: 0))
        ) { address in
            let channel = try TestServer.channel(to: address, client.tracer())
            let root = client.tracer().begin("root", .internal, below: nil)
            try await root.run { _ = try await channel.unary(Self.path, Payload(ByteBuffer(string: "x"))) }
            root.span?.end()
            channel.close()
            try await server.wait(for: 5)
        }
        let call = try #require(client.named("test.Service/Do").first)
        let attempt = try #require(client.named("test.Service/Do attempt").first)
        let served = try #require(server.named("test.Service/Do").first)
        let root = try #require(client.named("root").first)
        #expect(client.spans.count == 3)
        #expect(Set((client.spans + server.spans).map(\.trace.trace)).count == 1)
        #expect(root.parent == nil)
        #expect(call.parent == root.trace.span)
        #expect(attempt.parent == call.trace.span)
        #expect(attempt.text("rpc.attempt.kind") == "first")
        #expect(attempt.text("rpc.attempt.won") == "true")
        #expect(attempt.text("rpc.attempt.number") == "1")
        #expect(served.parent == attempt.trace.span)
        #expect(served.hasRemoteParent)
        #expect([call.kind, attempt.kind, served.kind] == [.internal, .client, .server])
        #expect(served.text("rpc.method") == "Do")
        #expect(served.text("rpc.grpc.status_code") == "0")
        // The handler worked for the span.
        #expect(seen.withLock { $0.map { $0?.span } } == [served.trace.span])
        let stages = server.spans.filter { $0.parent == served.trace.span }.sorted {
            ($0.start, $0.end) < ($1.start, $1.end)
        }
        #expect(stages.map(\.name) == ["receive", "queue", "infer", "send"])
        #expect(stages.map { $0.end - $0.start }[1...2] == [1_000_000, 2_000_000])
        #expect(stages.allSatisfy { $0.start >= served.start && $0.end <= served.end })
        #expect(zip(stages.prefix(3), stages.dropFirst()).allSatisfy { $0.end <= $1.start })
    }

    @Test(arguments: [true, false])
    func whatTheCallerSaysDecides(_ isSampled: Bool) async throws {
        let server = SpanCollector()
        let seen = Mutex<[String?]>([])
        try await TestServer.with(
            [
                "Do": .unary { _, request in
                    seen.withLock { $0.append(InstrumentationContext.current?.trace?.parent) }
                    return UnaryResponse(request)
                }
            ], interceptors: Self.interceptors(server.tracer(ratio: isSampled ? 0 : 1))
        ) { address in
            let channel = try TestServer.channel(to: address, nil)
            let parent = isSampled ? Self.parent : Self.parent.dropLast(2) + "00"
            let options = CallOptions(metadata: ["traceparent": String(parent), "tracestate": "a=1"])
            _ = try await channel.unary(Self.path, Payload(ByteBuffer()), options: options)
            channel.close()
            if isSampled { try await server.wait(for: 1) }
            let told = try #require(seen.withLock { $0.first } ?? nil)
            // Who records nothing hands on what it was told.
            #expect(isSampled ? told.hasPrefix("00-4bf92f3577b34da6a3ce929d0e0e4736-") : told == parent)
        }
        let served = server.named("test.Service/Do")
        #expect(served.count == (isSampled ? 1 : 0))
        #expect(server.spans.isEmpty == !isSampled)
        #expect(served.allSatisfy { $0.parent?.text == "00f067aa0ba902b7" && $0.trace.state.text == "a=1" })
    }

    @Test(arguments: ["", "nonsense", "00-\(String(repeating: "0", count: 32))-00f067aa0ba902b7-01"])
    func nonsenseIsNoParentAndNoError(_ parent: String) async throws {
        let server = SpanCollector()
        try await TestServer.with(
            ["Do": .unary { _, request in UnaryResponse(request) }], interceptors: Self.interceptors(server.tracer())
        ) { address in
            let channel = try TestServer.channel(to: address, nil)
            let options = CallOptions(metadata: ["traceparent": parent, "tracestate": "\(parent)="])
            _ = try await channel.unary(Self.path, Payload(ByteBuffer()), options: options)
            channel.close()
            try await server.wait(for: 1)
        }
        #expect(server.named("test.Service/Do").map(\.parent) == [nil])
    }

    @Test func methodsThatBeginNothingAreSeenInTracesOfTheirCallersOnly() async throws {
        let server = SpanCollector()
        try await TestServer.with(
            ["Do": .immediate { _, request in UnaryResponse(request) }],
            interceptors: Self.interceptors(server.tracer(), begins: false)
        ) { address in
            let channel = try TestServer.channel(to: address, server.tracer())
            _ = try await channel.unary(Self.path, Payload(ByteBuffer()))
            #expect(server.spans.isEmpty)
            let options = CallOptions(metadata: ["traceparent": Self.parent])
            _ = try await channel.unary(Self.path, Payload(ByteBuffer()), options: options)
            channel.close()
            try await server.wait(for: 1)
        }
        #expect(server.named("test.Service/Do").count == 1)
    }

    @Test func aRetryIsASpanAndTheOneThatWasAnsweredHasWon() async throws {
        let (client, server) = (SpanCollector(), SpanCollector())
        let calls = Atomic(0)
        try await TestServer.with(
            [
                "Do": .unary { _, request in
                    guard calls.add(1, ordering: .relaxed).newValue > 2 else { throw RPCError(.unavailable, "later") }
                    return UnaryResponse(request)
                }
            ], interceptors: Self.interceptors(server.tracer())
        ) { address in
            let policy = RetryPolicy(
                maxAttempts: 4, backoff: Backoff(initial: .milliseconds(1)), statusCodes: [.unavailable])
            let channel = try TestServer.channel(to: address, client.tracer(), attempts: .retry(policy))
            let root = client.tracer().begin("root", .internal, below: nil)
            try await root.run { _ = try await channel.unary(Self.path, Payload(ByteBuffer())) }
            channel.close()
            try await server.wait(for: 3)
        }
        let attempts = client.named("test.Service/Do attempt")
        #expect(attempts.map { $0.text("rpc.attempt.kind") } == ["first", "retry", "retry"])
        #expect(attempts.map { $0.text("rpc.attempt.number") } == ["1", "2", "3"])
        #expect(attempts.map { $0.text("rpc.attempt.won") } == ["false", "false", "true"])
        #expect(attempts.map { $0.text("rpc.grpc.status_code") } == ["14", "14", "0"])
        #expect(attempts.map(\.status?.code) == [.error, .error, nil])
        #expect(Set(server.named("test.Service/Do").map(\.parent)) == Set(attempts.map(\.trace.span)))
        #expect(client.named("test.Service/Do").map(\.status?.code) == [nil])
    }

    @Test func aHedgeIsASpanAndTheLoserSaysSo() async throws {
        let (client, server) = (SpanCollector(), SpanCollector())
        let calls = Atomic(0)
        try await TestServer.with(
            [
                "Do": .unary { _, request in
                    // The first waits until it is cancelled.
                    if calls.add(1, ordering: .relaxed).newValue == 1 { try await Task.sleep(for: .seconds(600)) }
                    return UnaryResponse(request)
                }
            ], interceptors: Self.interceptors(server.tracer())
        ) { address in
            let channel = try TestServer.channel(
                to: address, client.tracer(),
                attempts: .hedge(HedgingPolicy(maxAttempts: 2, delay: .milliseconds(20))))
            let root = client.tracer().begin("root", .internal, below: nil)
            try await root.run { _ = try await channel.unary(Self.path, Payload(ByteBuffer())) }
            channel.close()
            try await server.wait(for: 2)
        }
        let attempts = client.named("test.Service/Do attempt")
        #expect(attempts.map { $0.text("rpc.attempt.number") } == ["1", "2"])
        #expect(attempts.map { $0.text("rpc.attempt.won") } == ["false", "true"])
        #expect(attempts.first?.text("rpc.grpc.status_code") == "1")
    }

    @Test func aStreamIsACallWithOneAttempt() async throws {
        let (client, server) = (SpanCollector(), SpanCollector())
        try await TestServer.with(
            [
                "Do": .stream { _, requests, responses in
                    for try await request in requests { try await responses.write(request) }
                }
            ], interceptors: Self.interceptors(server.tracer())
        ) { address in
            let channel = try TestServer.channel(to: address, client.tracer())
            let root = client.tracer().begin("root", .internal, below: nil)
            try await root.run {
                let call = try await channel.open(Self.path)
                try await call.send(Payload(ByteBuffer(string: "x")))
                call.finishSending()
                for try await _ in call.responses {}
            }
            try await client.wait(for: 2)
            try await server.wait(for: 1)
            channel.close()
        }
        let attempt = try #require(client.named("test.Service/Do attempt").first)
        #expect(attempt.text("rpc.attempt.won") == "true")
        #expect(client.named("test.Service/Do").map(\.trace.span) == [attempt.parent])
        #expect(server.named("test.Service/Do").map(\.parent) == [attempt.trace.span])
    }

    @Test func aLineOfTheLogNamesTheTraceOfItsTask() async throws {
        let context = try #require(TraceContext(parents: [Self.parent], states: []))
        #expect(TraceContext.ofTask.get().isEmpty)
        let fields = await TracedWork(context: context, span: nil).run { TraceContext.ofTask.get() }
        #expect(fields["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(fields["span_id"] == "00f067aa0ba902b7")
    }

    @Test func aTimeThatNoSpanHasIsTheLongest() {
        #expect(Duration(secondsComponent: .max, attosecondsComponent: 0).nanoseconds == .max)
        #expect(Duration(secondsComponent: .min, attosecondsComponent: 0).nanoseconds == 0)
        #expect(Duration.milliseconds(1500).nanoseconds == 1_500_000_000)
    }

    /// As other libraries use the tracer.
    @Test func itIsATracerOfSwiftDistributedTracing() throws {
        let collector = SpanCollector()
        let tracer = collector.tracer()
        tracer.withSpan("outer") { outer in
            outer.attributes["a"] = 1
            tracer.withSpan("inner", ofKind: .client) { $0.recordError(RPCError(.internal, "no")) }
        }
        #expect(collector.spans.map(\.name) == ["inner", "outer"])
        #expect(collector.spans[0].parent == collector.spans[1].trace.span)
        #expect(collector.spans[0].events.map(\.name) == ["exception"])
        let silent = SpanCollector()
        silent.tracer(ratio: 0).withSpan("none") { span in
            #expect(!span.isRecording)
            span.attributes["a"] = 1
        }
        #expect(silent.spans.isEmpty)
    }
}
