import NIOCore
import Synchronization
import Testing

@testable import RPC

/// What interceptors saw, in order.
private final class Diary: Sendable {
    private let lines = Mutex<[String]>([])
    private let reports = AsyncStream.makeStream(of: CallReport.self)

    func write(_ line: String) { lines.withLock { $0.append(line) } }
    func write(_ report: CallReport) { reports.continuation.yield(report) }

    /// All lines until now.
    var all: [String] { lines.withLock { $0 } }

    /// The next report, once it is there.
    func report() async -> CallReport? {
        var iterator = reports.stream.makeAsyncIterator()
        return await iterator.next()
    }
}

/// Writes down each of its hooks.
private struct Witness: ServerInterceptor {
    var name: String
    var diary: Diary

    func hooks(for method: MethodDescription) -> CallHooks {
        diary.write("\(name) is asked for \(method.name)")
        return CallHooks(
            admit: { [diary, name] _ in diary.write("\(name) admits") },
            around: { [diary, name] _, handler in
                diary.write("\(name) begins")
                try await handler()
                diary.write("\(name) ends")
            },
            finished: { [diary, name] _, report in
                diary.write("\(name) sees \(report.code)")
                diary.write(report)
            })
    }
}

private struct Refusal: ServerInterceptor {
    func hooks(for method: MethodDescription) -> CallHooks {
        CallHooks(admit: { _ in throw RPCError(.permissionDenied, "not today") })
    }
}

private struct Reporter: ServerInterceptor {
    var diary: Diary
    func hooks(for method: MethodDescription) -> CallHooks {
        CallHooks(finished: { [diary] _, report in diary.write(report) })
    }
}

private enum Colour: CallValueKey { typealias Value = String }

private enum TaskValues { @TaskLocal static var trace = "none" }

@Suite(.timeLimit(.minutes(5))) struct ServerInterceptorTests {
    @Test func interceptorsAreAskedOncePerMethodAndRunInOrder() async throws {
        let diary = Diary()
        let interceptors = [Witness(name: "first", diary: diary), Witness(name: "second", diary: diary)]
        try await Loopback.with(["Echo": .unary { _, request in UnaryResponse(request) }], interceptors: interceptors) {
            loopback in
            let asked = diary.all
            #expect(asked.count == 4)
            #expect(
                Set(asked) == [
                    "first is asked for test.Service/Echo", "second is asked for test.Service/Echo",
                    "first is asked for unknown", "second is asked for unknown",
                ])
            try await loopback.expect("a", from: "Echo", "a")
            _ = await diary.report()
            #expect(
                diary.all.dropFirst(4) == [
                    "first admits", "second admits", "first begins", "second begins", "second ends", "first ends",
                    "second sees OK", "first sees OK",
                ])
            try await loopback.expect("b", from: "Echo", "b")
            #expect(diary.all.dropFirst(4).filter { $0.contains("asked") }.isEmpty)
        }
    }

    @Test func everyKindOfHandlerIsAdmittedAndReportedAndAsyncOnesAreWrapped() async throws {
        let handlers: [(String, RPCHandler)] = [
            ("Now", .immediate { _, request in UnaryResponse(request) }),
            ("Later", .unary { _, request in UnaryResponse(request) }),
            (
                "Stream",
                .stream { _, requests, responses in
                    for try await request in requests { try await responses.write(request) }
                }
            ),
        ]
        for (name, handler) in handlers {
            let diary = Diary()
            try await Loopback.with([name: handler], interceptors: [Witness(name: "it", diary: diary)]) { loopback in
                try await loopback.expect("abc", from: name, "abc")
                let report = await diary.report()
                #expect(report?.code == .ok)
                #expect(report.map { $0.duration > .zero } == true)
                var expected = CallTraffic()
                (expected.receivedMessages, expected.receivedBytes) = (1, 3)
                (expected.sentMessages, expected.sentBytes) = (1, 3)
                #expect(report?.traffic == expected)
                let wrapped = name == "Now" ? [] : ["it begins", "it ends"]
                #expect(Array(diary.all.dropFirst(2)) == ["it admits"] + wrapped + ["it sees OK"])
            }
        }
    }

    @Test func aRefusedCallNeverReachesItsHandlerAndItsBodyIsNotRead() async throws {
        let diary = Diary()
        let budget = MemoryBudget(limit: 1 << 20)
        let ran = Counter()
        let interceptors: [any ServerInterceptor] = [
            Witness(name: "before", diary: diary), Refusal(), Witness(name: "after", diary: diary),
        ]
        try await Loopback.with(
            [
                "Echo": .unary { _, request in
                    ran.add()
                    return UnaryResponse(request)
                }
            ], interceptors: interceptors, serverBudget: budget
        ) { loopback in
            // More than the server has memory for: read, it would not be PERMISSION_DENIED.
            let large = Payload(ByteBuffer(repeating: 7, count: 3 << 20))
            let error = await failure { _ = try await loopback.connection.unary(loopback.path("Echo"), large) }
            #expect(error?.code == .permissionDenied)
            #expect(error?.message == "not today")
            let report = await diary.report()
            #expect(report?.code == .permissionDenied)
            #expect(report?.traffic == CallTraffic())
            #expect(ran.value == 0)
            #expect(diary.all.dropFirst(4) == ["before admits", "before sees PERMISSION_DENIED"])
        }
    }

    @Test func whatAnInterceptorLeavesIsSeenByTheNextByTheHandlerAndAtTheEnd() async throws {
        struct Painter: ServerInterceptor {
            func hooks(for method: MethodDescription) -> CallHooks {
                CallHooks(admit: { context in
                    context.principal = Principal(name: "anna", scopes: ["paint"])
                    context.values[Colour.self] = (context.values[Colour.self] ?? "") + "red"
                })
            }
        }
        let seen = AsyncStream.makeStream(of: String.self)
        struct Last: ServerInterceptor {
            var seen: AsyncStream<String>.Continuation
            func hooks(for method: MethodDescription) -> CallHooks {
                CallHooks(finished: { context, _ in
                    seen.yield("\(context.principal?.name ?? "") \(context.values[Colour.self] ?? "")")
                })
            }
        }
        try await Loopback.with(
            [
                "Colour": .immediate { context, _ in
                    UnaryResponse(Payload("\(context.principal?.name ?? "") \(context.values[Colour.self] ?? "")"))
                }
            ], interceptors: [Last(seen: seen.continuation), Painter(), Painter()]
        ) { loopback in
            try await loopback.expect("anna redred", from: "Colour", "")
            var iterator = seen.stream.makeAsyncIterator()
            #expect(await iterator.next() == "anna redred")
        }
    }

    @Test func taskLocalsOfAroundReachTheHandler() async throws {
        struct Tracing: ServerInterceptor {
            func hooks(for method: MethodDescription) -> CallHooks {
                CallHooks(around: { _, handler in
                    try await TaskValues.$trace.withValue(method.name) { try await handler() }
                })
            }
        }
        try await Loopback.with(
            [
                "Unary": .unary { _, _ in UnaryResponse(Payload(TaskValues.trace)) },
                "Stream": .stream { _, _, responses in try await responses.write(Payload(TaskValues.trace)) },
            ], interceptors: [Tracing()]
        ) { loopback in
            try await loopback.expect("test.Service/Unary", from: "Unary", "")
            try await loopback.expect("test.Service/Stream", from: "Stream", "")
        }
    }

    @Test func anInterceptorThatForgetsTheHandlerIsOurFault() async throws {
        struct Forgetful: ServerInterceptor {
            func hooks(for method: MethodDescription) -> CallHooks { CallHooks(around: { _, _ in }) }
        }
        try await Loopback.with(
            ["Unary": .unary { _, request in UnaryResponse(request) }, "Stream": .stream { _, _, _ in }],
            interceptors: [Forgetful()]
        ) { loopback in
            for name in ["Unary", "Stream"] {
                #expect(await failure { _ = try await loopback.unary(name) }?.code == .internal)
            }
        }
    }

    @Test func theDeadlineThatAnInterceptorSetsIsTheCallsOwn() async throws {
        struct Hurry: ServerInterceptor {
            func hooks(for method: MethodDescription) -> CallHooks {
                CallHooks(admit: { $0.deadline = .after(.milliseconds(20)) })
            }
        }
        let diary = Diary()
        try await Loopback.with(
            [
                "Slow": .unary { _, request in
                    try await Task.sleep(for: .seconds(600))
                    return UnaryResponse(request)
                }
            ], interceptors: [Reporter(diary: diary), Hurry()]
        ) { loopback in
            #expect(await failure { _ = try await loopback.unary("Slow", deadline: nil) }?.code == .deadlineExceeded)
            #expect(await diary.report()?.code == .deadlineExceeded)
        }
    }

    @Test func aCallThatItsPeerEndsIsReportedOnceAsCancelled() async throws {
        let diary = Diary()
        try await Loopback.with(
            [
                "Wait": .stream { _, requests, responses in
                    try await responses.write(Payload("here"))
                    for try await _ in requests {}
                }
            ], interceptors: [Witness(name: "it", diary: diary)]
        ) { loopback in
            let call = try await loopback.connection.open(loopback.path("Wait"))
            var answers = call.responses.makeAsyncIterator()
            _ = try await answers.next()
            call.cancel()
            let report = await diary.report()
            #expect(report?.code == .cancelled)
            #expect(report?.traffic.sentMessages == 1)
        }
        #expect(diary.all.filter { $0.contains("sees") }.count == 1)
    }

    @Test func unknownPathsAreAdmittedToo() async throws {
        let diary = Diary()
        try await Loopback.with(interceptors: [Witness(name: "it", diary: diary)]) { loopback in
            for path in ["/test.Service/No", "/no.Service/No", "//", "/"] {
                let error = await failure { _ = try await loopback.connection.unary(path, Payload("")) }
                #expect(error?.code == .unimplemented)
                #expect(await diary.report()?.code == .unimplemented)
            }
        }
        try await Loopback.with(interceptors: [Refusal()]) { loopback in
            let error = await failure { _ = try await loopback.unary("No") }
            #expect(error?.code == .permissionDenied)
        }
    }

    @Test func aMethodThatNobodyLooksAtIsNotTakenForAnUnknownOne() async throws {
        struct OnlyUnknown: ServerInterceptor {
            func hooks(for method: MethodDescription) -> CallHooks {
                method.isKnown ? .none : CallHooks(admit: { _ in throw RPCError(.permissionDenied, "no") })
            }
        }
        try await Loopback.with(
            ["Echo": .immediate { _, request in UnaryResponse(request) }], interceptors: [OnlyUnknown()]
        ) { loopback in
            try await loopback.expect("a", from: "Echo", "a")
            #expect(await failure { _ = try await loopback.unary("No") }?.code == .permissionDenied)
        }
    }
}
