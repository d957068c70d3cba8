import NIOCore
import Testing

@testable import RPC

/// What a retried streaming call sends to which attempt, without sockets; attempts are their numbers.
@Suite struct RetriedStreamTests {
    private typealias Stream = RetriedStream<Int>

    private static let unavailable = RPCError(.unavailable, "not now")

    private static func text(_ sending: Stream.Sending) -> String {
        switch sending {
        case .forward(let attempt, let generation, true): "to \(attempt) of \(generation), kept"
        case .forward(let attempt, let generation, false): "to \(attempt) of \(generation)"
        case .commit(let attempt, let generation): "to \(attempt) of \(generation), committed"
        case .kept: "kept"
        case .wait(let generation): "wait for \(generation)"
        }
    }

    private static func text(_ end: Stream.AttemptEnd) -> String {
        switch end {
        case .late: "late"
        case .ended(let error): "ended \(error.map { "\($0.code)" } ?? "ok")"
        case .failed(let error): "failed \(error.code)"
        }
    }

    private static func text(_ settled: Stream.Settled?) -> String {
        switch settled {
        case nil: "not yet"
        case .replayed: "replayed"
        case .ended(let error): "ended \(error.map { "\($0.code)" } ?? "ok")"
        }
    }

    private static func text(_ replay: Stream.Replay?) -> String {
        guard let replay else { return "late" }
        return "\(replay.generation): \(replay.messages.map(\.text)) \(replay.isFinished)"
    }

    private static func send(_ stream: inout Stream, _ text: String, _ hasRoom: Bool = true) throws -> String {
        Self.text(try stream.send(Payload(text)) { _ in hasRoom })
    }

    @Test func theNextAttemptIsSentEverythingInOrder() throws {
        var stream = Stream(1, limit: 1000)
        #expect(try Self.send(&stream, "a") == "to 1 of 0, kept")
        #expect(Self.text(stream.ended(0, Self.unavailable)) == "failed UNAVAILABLE")
        #expect(Self.text(stream.settled(after: 0)) == "not yet")
        // While there is none, too.
        #expect(try Self.send(&stream, "b") == "kept")
        #expect(stream.finishSending() == nil)
        #expect(Self.text(stream.begin(2)) == #"1: ["a", "b"] true"#)
        #expect(Self.text(stream.settled(after: 0)) == "replayed")
        #expect(Self.text(stream.settled(after: 1)) == "not yet")
        #expect(Self.text(stream.ended(1, nil)) == "ended ok")
        #expect(stream.keptBytes == 0)
    }

    @Test func anAttemptThatWasAnsweredIsTheLast() throws {
        var stream = Stream(1, limit: 1000)
        _ = try Self.send(&stream, "a")
        #expect(stream.keptBytes == ReplayBuffer.cost(of: Payload("a")))
        stream.answered(0)
        #expect(stream.keptBytes == 0)
        #expect(try Self.send(&stream, "b") == "to 1 of 0")
        #expect(Self.text(stream.ended(0, Self.unavailable)) == "ended UNAVAILABLE")
        #expect(Self.text(stream.settled(after: 0)) == "ended UNAVAILABLE")
        #expect(Self.text(stream.begin(2)) == "late")
    }

    @Test func anErrorOfACommittedAttemptIsTheCalls() {
        var stream = Stream(1, limit: 1000)
        var error = Self.unavailable
        error.isCommitted = true
        #expect(Self.text(stream.ended(0, error)) == "ended UNAVAILABLE")
    }

    /// The head of an attempt that has failed may come late.
    @Test func newsOfAnEarlierAttemptChangeNothing() throws {
        var stream = Stream(1, limit: 1000)
        _ = try Self.send(&stream, "a")
        _ = stream.ended(0, Self.unavailable)
        #expect(Self.text(stream.ended(0, nil)) == "late")
        _ = stream.begin(2)
        stream.answered(0)
        #expect(Self.text(stream.ended(0, nil)) == "late")
        #expect(try Self.send(&stream, "b") == "to 2 of 1, kept")
        #expect(Self.text(stream.ended(1, Self.unavailable)) == "failed UNAVAILABLE")
        #expect(Self.text(stream.begin(3)) == #"2: ["a", "b"] false"#)
    }

    @Test(arguments: [true, false])
    func moreThanCanBeKeptCommits(_ isOwnLimit: Bool) throws {
        var stream = Stream(1, limit: isOwnLimit ? 100 : 1000)
        #expect(try Self.send(&stream, "a") == "to 1 of 0, kept")
        #expect(try Self.send(&stream, "b", isOwnLimit) == "to 1 of 0, committed")
        #expect(stream.keptBytes == 0)
        #expect(try Self.send(&stream, "c") == "to 1 of 0")
        #expect(Self.text(stream.ended(0, Self.unavailable)) == "ended UNAVAILABLE")
    }

    /// What came before is still needed.
    @Test func withoutAnAttemptWhatCannotBeKeptWaits() throws {
        var stream = Stream(1, limit: 100)
        _ = try Self.send(&stream, "a")
        _ = stream.ended(0, Self.unavailable)
        #expect(try Self.send(&stream, "b") == "wait for 0")
        #expect(Self.text(stream.begin(2)) == #"1: ["a"] false"#)
        #expect(try Self.send(&stream, "b") == "to 2 of 1, committed")
    }

    @Test func theFirstEndCounts() throws {
        var stream = Stream(1, limit: 1000)
        _ = try Self.send(&stream, "a")
        _ = stream.ended(0, Self.unavailable)
        stream.end(RPCError(.cancelled, "call was cancelled"))
        stream.end(Self.unavailable)
        #expect(stream.keptBytes == 0)
        #expect(Self.text(stream.begin(2)) == "late")
        #expect(Self.text(stream.settled(after: 0)) == "ended CANCELLED")
        #expect(throws: RPCError.self) { _ = try stream.send(Payload("b")) { _ in true } }
    }

    @Test func nothingIsSentAfterTheEndOfSending() throws {
        var stream = Stream(1, limit: 1000)
        #expect(stream.finishSending() == 1)
        let error = #expect(throws: RPCError.self) { _ = try stream.send(Payload("a")) { _ in true } }
        #expect(error?.message == OutboundGate.finished.message)
    }
}
