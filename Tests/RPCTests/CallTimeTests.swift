import Testing

@testable import RPC

@Suite struct CallTimeTests {
    private static func context(_ value: String?, _ deadline: Deadline?) -> CallContext {
        CallContext(
            path: "/a/b", metadata: value.map { [CallTime.field: $0] } ?? [:], deadline: deadline, peer: "",
            takesAttachments: false)
    }

    @Test(arguments: [(30_000, 15_000, "200"), (1500, 1000, "150"), (1001, 1000, "100"), (5000, 1000, "200")])
    func isToldAsAShareOfTheAttempts(_ call: Int, _ attempt: Int, _ text: String) {
        var metadata = Metadata()
        CallTime.tell(.milliseconds(call), of: .milliseconds(attempt), in: &metadata)
        #expect(metadata == ["framemesh-call-time": text])
    }

    @Test(arguments: [nil, "", "99", "201", "-150", "1e2", "150.5", "4294967296000000000000", "half"] as [String?])
    func whatCannotBeIsAsIfItWereNotThere(_ text: String?) {
        let deadline = Deadline.after(.seconds(1000))
        #expect(Self.context(text, deadline).callDeadline == deadline)
    }

    @Test func theCallIsDueAfterItsAttempt() throws {
        let context = Self.context("150", .after(.seconds(10_000)))
        let left = try #require(context.callDeadline).remaining
        #expect(left > .seconds(14_000) && left <= .seconds(15_000))
        #expect(Self.context("150", nil).callDeadline == nil)
    }
}
