import Glibc
import Logging
import NIOCore
import TestSupport
import Testing

@testable import RPC

private struct Secret: Error, CustomStringConvertible { var description: String { "disk\nfull \u{1b}[31m" } }

@Suite(.timeLimit(.minutes(5))) struct LogInterceptorTests {
    @Test func aFailedCallIsOneLineWithItsCause() async throws {
        let recorder = LogRecorder()
        try await Loopback.with(
            [
                "Good": .immediate { _, request in UnaryResponse(request) },
                "Bad": .unary { _, _ in throw RPCError(.unavailable, "come\nlater", cause: Secret()) },
            ], interceptors: [LogInterceptor(logger: recorder.logger)]
        ) { loopback in
            try await loopback.expect("a", from: "Good", "a")
            _ = await failure { _ = try await loopback.unary("Bad") }
            let line = await recorder.next()
            #expect(line?.level == .warning)
            #expect(line?.message == "call failed")
            #expect(line?.metadata["method"] == "test.Service/Bad")
            #expect(line?.metadata["code"] == "UNAVAILABLE")
            #expect(line?.metadata["message"] == "come\\u{a}later")
            #expect(line?.metadata["cause"] == "disk\\u{a}full \\u{1b}[31m")
            #expect(line?.metadata["peer"]?.hasPrefix("127.0.0.1:") == true)
            #expect(line?.metadata["ms"].flatMap(Double.init).map { $0 > 0 } == true)
            #expect(recorder.lines.count == 1)
        }
    }

    @Test func whatIsSaidIsSaidOnceAndTimeIsRounded() {
        let recorder = LogRecorder()
        let finished = LogInterceptor(logger: recorder.logger).hooks(for: MethodDescription(service: "a", method: "b"))
            .finished
        let context = CallContext(path: "/a/b", metadata: [:], deadline: nil, peer: "p", takesAttachments: false)
        for message in ["disk\nfull \u{1b}[31m", "storing failed: disk\nfull \u{1b}[31m", "storing failed"] {
            finished?(
                context,
                CallReport(
                    error: RPCError(.internal, message, cause: Secret()), duration: .nanoseconds(127_454_362_845),
                    traffic: CallTraffic()))
        }
        #expect(recorder.lines.map { $0.metadata["cause"] != nil } == [false, false, true])
        #expect(recorder.lines.first?.metadata["ms"] == "127454.363")
    }

    @Test func aCauseOfTheSystemIsToldInItsWords() {
        let recorder = LogRecorder()
        let finished = LogInterceptor(logger: recorder.logger).hooks(for: MethodDescription(service: "a", method: "b"))
            .finished
        let context = CallContext(path: "/a/b", metadata: [:], deadline: nil, peer: "p", takesAttachments: false)
        let full = IOError(errnoCode: ENOSPC, reason: "write(descriptor:pointer:size:)")
        finished?(
            context,
            CallReport(
                error: RPCError(.internal, "storing failed", cause: full), duration: .zero, traffic: CallTraffic()))
        #expect(recorder.lines.map { $0.metadata["cause"] } == ["no space left on device"])
    }

    @Test func anUnknownPathIsEscaped() async throws {
        let recorder = LogRecorder()
        try await Loopback.with(interceptors: [LogInterceptor(logger: recorder.logger)]) { loopback in
            _ = await failure { _ = try await loopback.connection.unary("/größe/\\n", Payload("")) }
            let line = await recorder.next()
            #expect(line?.level == .info)
            #expect(line?.metadata["method"] == "unknown")
            #expect(line?.metadata["path"]?.allSatisfy(\.isASCII) == true)
        }
    }

    @Test(arguments: [
        (StatusCode.internal, Logger.Level.error), (.unknown, .error), (.dataLoss, .error), (.unavailable, .warning),
        (.resourceExhausted, .warning), (.deadlineExceeded, .warning), (.unauthenticated, .notice),
        (.permissionDenied, .notice), (.invalidArgument, .info), (.cancelled, .debug), (.unimplemented, .info),
    ])
    func theLevelSaysWhoseFaultItIs(_ code: StatusCode, _ level: Logger.Level) {
        #expect(LogInterceptor.level(of: code) == level)
    }

    @Test func aFloodIsTenLinesASecondAndOtherCausesAreStillSeen() {
        let recorder = LogRecorder()
        let finished = LogInterceptor(logger: recorder.logger).hooks(for: MethodDescription(service: "a", method: "b"))
            .finished
        let context = CallContext(path: "/a/b", metadata: [:], deadline: nil, peer: "p", takesAttachments: false)
        func fail(_ code: StatusCode) {
            finished?(
                context,
                CallReport(error: RPCError(code, "no"), duration: .milliseconds(1), traffic: CallTraffic()))
        }
        for _ in 0..<10_000 { fail(.unauthenticated) }
        // The flood may have taken more than one second.
        let flood = recorder.lines.count
        #expect(flood >= 10 && flood < 1000)
        fail(.internal)
        #expect(recorder.lines.last?.metadata["code"] == "INTERNAL")
    }

    @Test func aLineThatNobodyReadsIsNotWritten() {
        let recorder = LogRecorder()
        var logger = recorder.logger
        logger.logLevel = .error
        let finished = LogInterceptor(logger: logger).hooks(for: .unknown).finished
        let context = CallContext(path: "/a/b", metadata: [:], deadline: nil, peer: "p", takesAttachments: false)
        for code in [StatusCode.notFound, .internal] {
            finished?(context, CallReport(error: RPCError(code, ""), duration: .zero, traffic: CallTraffic()))
        }
        #expect(recorder.lines.map { $0.metadata["code"] } == ["INTERNAL"])
    }
}
