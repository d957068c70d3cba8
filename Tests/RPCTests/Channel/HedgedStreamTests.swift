import NIOCore
import Testing

@testable import RPC

/// What a hedged streaming call sends to which attempt, without sockets; attempts are their numbers.
@Suite struct HedgedStreamTests {
    private typealias Stream = HedgedStream<Int>

    private static func text(_ sending: Stream.Sending) -> String {
        switch sending {
        case .toAll(let attempts): "all \(attempts)"
        case .toOne(let attempt): "one \(attempt)"
        case .commit(let attempt, let losers): "commit \(attempt), not \(losers)"
        case .wait: "wait"
        }
    }

    private static func text(_ opening: Stream.Opening) -> String {
        switch opening {
        case .replay(let messages, let isFinished): "\(messages.map(\.text)) \(isFinished)"
        case .late: "late"
        }
    }

    private static func send(_ stream: inout Stream, _ text: String, _ hasRoom: Bool = true) throws -> String {
        Self.text(try stream.send(Payload(text)) { _ in hasRoom })
    }

    /// With attempts 1 and 2 open, and "a" sent.
    private static func two(limit: Int = 1000) throws -> Stream {
        var stream = Stream(limit: limit)
        _ = stream.opened(1, number: 1)
        _ = stream.opened(2, number: 2)
        #expect(try send(&stream, "a") == "all [1, 2]")
        return stream
    }

    @Test func eachAttemptIsSentEverythingOnce() throws {
        var stream = Stream(limit: 1000)
        #expect(try Self.send(&stream, "a") == "all []")
        #expect(Self.text(stream.opened(1, number: 1)) == #"["a"] false"#)
        #expect(try Self.send(&stream, "b") == "all [1]")
        #expect(stream.finishSending() == [1])
        #expect(Self.text(stream.opened(2, number: 2)) == #"["a", "b"] true"#)
        #expect(stream.winner == nil)
    }

    @Test func theFirstResponseHeadWins() throws {
        var stream = try Self.two()
        #expect(stream.keptBytes > 0)
        #expect(stream.answered(number: 2) == [1])
        #expect(stream.winner == 2)
        #expect(stream.keptBytes == 0)
        #expect(try Self.send(&stream, "b") == "one 2")
        #expect(stream.answered(number: 1) == [])
        #expect(stream.winner == 2)
        #expect(Self.text(stream.opened(3, number: 3)) == "late")
        #expect(stream.finishSending() == [2])
    }

    @Test(arguments: [true, false])
    func whatCannotBeKeptCommitsToTheOldestAttempt(_ ownLimit: Bool) throws {
        var stream = try Self.two(limit: ownLimit ? 100 : 1000)
        #expect(try Self.send(&stream, "b", ownLimit) == "commit 1, not [2]")
        #expect(try Self.send(&stream, "c", ownLimit) == "one 1")
        #expect(stream.keptBytes == 0)
    }

    @Test func withoutAnAttemptWhatCannotBeKeptWaits() throws {
        var stream = try Self.two()
        stream.failed(number: 1)
        stream.failed(number: 2)
        #expect(!stream.hasAttempts)
        #expect(try Self.send(&stream, "b", false) == "wait")
        #expect(Self.text(stream.opened(3, number: 3)) == #"["a"] false"#)
        #expect(try Self.send(&stream, "b", false) == "commit 3, not []")
    }

    @Test func anAttemptThatHasFailedIsSentNothingAndCannotWin() throws {
        var stream = try Self.two()
        stream.failed(number: 1)
        #expect(try Self.send(&stream, "b") == "all [2]")
        #expect(stream.answered(number: 1) == [])
        #expect(stream.winner == nil)
        #expect(stream.isHedging)
    }

    @Test func theEndIsSaidOnceAndNothingGoesOutAfterIt() throws {
        var stream = try Self.two()
        #expect(stream.end(RPCError(.unavailable, "gone")) == [1, 2])
        #expect(stream.end(nil) == [])
        #expect(stream.keptBytes == 0)
        #expect(stream.finishSending() == [])
        let error = #expect(throws: RPCError.self) { try Self.send(&stream, "b") }
        #expect(error?.message == "gone")
        #expect(Self.text(stream.opened(3, number: 3)) == "late")
    }

    @Test func aWinnerMayBeReadAfterTheEnd() throws {
        var stream = try Self.two()
        _ = stream.answered(number: 2)
        #expect(stream.end(nil) == [2])
        #expect(stream.winner == 2)
        #expect(throws: RPCError.self) { try Self.send(&stream, "b") }
    }
}
