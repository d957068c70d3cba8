import NIOCore
import Synchronization
import Testing

@testable import RPC

@Suite struct WindowTrialTests {
    private static let (narrow, wide, bytes) = (1 << 20, 16 << 20, 1_000_000)
    private static let sample = WindowTrial.sample
    /// Messages for which a narrower window does not count yet.
    private static let granted = (wide - narrow + bytes - 1) / bytes

    /// Messages that take so many nanoseconds a byte, and the windows that are told of.
    private static func changes(_ trial: inout WindowTrial, _ count: Int, _ nanosecondsPerByte: Int) -> [Int: Int] {
        var changes: [Int: Int] = [:]
        for number in 1...count {
            changes[number] = trial.received(bytes: bytes, in: .nanoseconds(Int64(bytes * nanosecondsPerByte)))
        }
        return changes
    }

    /// One that comes while the window changes counts for neither.
    @Test func theFasterOneStaysAndIsTriedAgain() {
        var trial = WindowTrial(narrow: Self.narrow, wide: Self.wide)
        #expect(Self.changes(&trial, Self.sample, 100) == [Self.sample: Self.wide])
        #expect(Self.changes(&trial, 1, 1000) == [:])
        #expect(Self.changes(&trial, Self.sample, 50) == [:])
        #expect(trial.isWide)
        #expect(Self.changes(&trial, WindowTrial.firstStay, 1000) == [:])
        // Now with the wide one first, of which its peer may still send what was granted.
        #expect(Self.changes(&trial, Self.sample, 50) == [Self.sample: Self.narrow])
        #expect(Self.changes(&trial, Self.granted, 50) == [:])
        #expect(Self.changes(&trial, Self.sample, 100) == [Self.sample: Self.wide])
        let next = WindowTrial.firstStay * WindowTrial.growth + Self.sample
        #expect(Self.changes(&trial, next, 50) == [next: Self.narrow])
        // The other one wins.
        #expect(Self.changes(&trial, Self.granted + Self.sample, 40) == [:])
        #expect(!trial.isWide)
        let soon = WindowTrial.firstStay + Self.sample
        #expect(Self.changes(&trial, soon, 40) == [soon: Self.wide])
    }

    /// One slow moment in nine is nothing, and neither is a hundredth.
    @Test func theNarrowOneStaysUnlessTheWideOneIsClearlyFaster() {
        var trial = WindowTrial(narrow: Self.narrow, wide: Self.wide)
        #expect(Self.changes(&trial, Self.sample, 100) == [Self.sample: Self.wide])
        let slow = 1 + Self.sample / 2
        #expect(Self.changes(&trial, slow, 10_000) == [:])
        #expect(Self.changes(&trial, 1 + Self.sample - slow, 99) == [1 + Self.sample - slow: Self.narrow])
        #expect(!trial.isWide)
    }

    /// It may as well have come with a narrower window.
    @Test func aMessageInOneReadSaysNothing() {
        var trial = WindowTrial(narrow: Self.narrow, wide: Self.wide)
        #expect(Self.changes(&trial, 100, 0) == [:])
        #expect(Self.changes(&trial, Self.sample, 100) == [Self.sample: Self.wide])
        #expect(Self.changes(&trial, 100, 0) == [:])
        #expect(Self.changes(&trial, 1 + Self.sample, 100) == [1 + Self.sample: Self.narrow])
    }

    @Test func othersEndItForAWhile() {
        var trial = WindowTrial(narrow: Self.narrow, wide: Self.wide)
        #expect(trial.end() == nil)
        var stay = WindowTrial.firstStay
        for _ in 0..<5 {
            #expect(Self.changes(&trial, Self.sample, 100) == [Self.sample: Self.wide])
            #expect(trial.end() == Self.narrow)
            #expect(trial.end() == nil)
            stay = min(stay * WindowTrial.growth, WindowTrial.longestStay)
            #expect(Self.changes(&trial, stay, 1) == [:])
        }
        #expect(stay == WindowTrial.longestStay)
    }

    @Test func whileOthersComeNowAndThenItStaysNarrow() {
        var trial = WindowTrial(narrow: Self.narrow, wide: Self.wide)
        #expect(Self.changes(&trial, Self.sample, 100) == [Self.sample: Self.wide])
        #expect(trial.end() == Self.narrow)
        let stay = WindowTrial.firstStay * WindowTrial.growth
        for _ in 0..<100 {
            #expect(Self.changes(&trial, stay - 1, 100) == [:])
            #expect(trial.end() == nil)
        }
        #expect(Self.changes(&trial, stay + Self.sample, 100) == [stay + Self.sample: Self.wide])
    }

    /// Nothing is decided by it.
    @Test func othersEndItWhileTheNarrowOneIsMeasured() {
        var trial = WindowTrial(narrow: Self.narrow, wide: Self.wide)
        _ = Self.changes(&trial, Self.sample, 100)
        _ = Self.changes(&trial, 1 + Self.sample + WindowTrial.firstStay, 50)
        #expect(Self.changes(&trial, Self.sample, 50) == [Self.sample: Self.narrow])
        #expect(trial.end() == nil)
        #expect(Self.changes(&trial, Self.granted + Self.sample, 100) == [:])
        #expect(!trial.isWide)
    }

    @Test(arguments: [nil, 1 << 20, 1 << 16]) func withoutAWiderOneThereIsNone(wide: Int?) {
        var trial = WindowTrial(narrow: Self.narrow, wide: wide)
        #expect(Self.changes(&trial, 100, 1) == [:])
    }

    /// By a real server, of large messages one at a time.
    @Test(.timeLimit(.minutes(5)), arguments: [nil, 16 << 20])
    func aServerLetsItsClientSendMore(wide: Int?) async throws {
        var configuration = ServerConfiguration()
        configuration.loneConnectionWindowBytes = wide
        let methods: [String: RPCHandler] = [
            "Count": .unary { _, payload in UnaryResponse(Payload("\(payload.message.readableBytes)")) }
        ]
        let (bytes, count) = (3 << 20, LoneWindow.firstPatience + WindowTrial.sample + 1)
        let alone = LargeSender.rounds("/test.Service/Count", [Int](repeating: 1, count: count), of: bytes)
        let credit = ConnectionCredit()
        try await Loopback.serving(methods, server: configuration) { server in
            _ = try await LargeSender.settings(server.address, alone, watch: credit)
        }
        // Of what was sent all but a window comes back; beyond that is what the window has grown by.
        let grown = credit.bytes.load(ordering: .relaxed) - count * (bytes + 5)
        #expect(wide.map { grown > $0 / 2 } ?? (grown <= configuration.connectionWindowBytes))
    }
}
