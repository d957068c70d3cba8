import NIOCore
import Testing

@testable import RPC

@Suite struct ServiceConfigTests {
    @Test(arguments: [("/a.B/C", 1), ("/a.B/D", 2), ("/a.C/C", 3), ("odd", 3), ("", 3), ("/", 3)])
    func theMostExactEntryCounts(_ path: String, _ seconds: Int) {
        let config = ServiceConfig(
            methods: [
                "/a.B/C": MethodConfig(timeout: .seconds(1)), "/a.B/": MethodConfig(timeout: .seconds(2)),
            ], defaults: MethodConfig(timeout: .seconds(3)))
        #expect(config.method(path).timeout == .seconds(seconds))
    }

    @Test func theSoonerDeadlineCounts() throws {
        let method = MethodConfig(timeout: .seconds(50))
        let long = CallOptions(deadline: .after(.seconds(500))).with(method)
        #expect(try #require(long.deadline).remaining <= .seconds(50))
        let short = Deadline.after(.seconds(5))
        #expect(CallOptions(deadline: short).with(method).deadline == short)
        #expect(try #require(CallOptions().with(method).deadline).remaining <= .seconds(50))
    }

    @Test func aCallMaySayOtherwise() {
        let method = MethodConfig(waitForReady: true)
        #expect(CallOptions().with(method).waitForReady == true)
        var options = CallOptions()
        options.waitForReady = false
        #expect(options.with(method).waitForReady == false)
    }

    @Test func theSmallerLimitOfAnAnswerCounts() {
        var options = CallOptions()
        #expect(options.with(MethodConfig()).maxResponseBytes == nil)
        #expect(options.with(MethodConfig(maxResponseBytes: 10)).maxResponseBytes == 10)
        options.maxResponseBytes = 20
        #expect(options.with(MethodConfig()).maxResponseBytes == 20)
        #expect(options.with(MethodConfig(maxResponseBytes: 10)).maxResponseBytes == 10)
        #expect(options.with(MethodConfig(maxResponseBytes: 30)).maxResponseBytes == 20)
    }

    @Test func aRequestBeyondItsLimitIsNotSent() {
        let method = MethodConfig(maxRequestBytes: 10)
        #expect(throws: Never.self) { try method.check(Payload(String(repeating: "x", count: 10)), "/a/b") }
        let error = #expect(throws: RPCError.self) {
            try method.check(Payload(String(repeating: "x", count: 11)), "/a/b")
        }
        #expect(error?.code == .resourceExhausted)
        #expect(error?.message == "request of /a/b has 11 bytes, limit 10")
    }
}
