import Dispatch
import NIOCore
import Testing

@testable import RPC

@Suite struct HandlerPaceTests {
    private static let begin = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private static func at(_ seconds: Int64) -> NIODeadline { begin + .seconds(seconds) }

    @Test func shortHandlersStayOnTheLoop() {
        let pace = HandlerPace()
        for call in 0..<100_000 {
            // Once in a while one is interrupted.
            pace.started(in: call % 1000 == 999 ? .milliseconds(4) : .microseconds(3), at: Self.begin)
        }
        let startsOnLoop = pace.startsOnLoop(at: Self.begin)
        #expect(startsOnLoop)
    }

    @Test func oneThatBlocksForLongLeavesTheLoopAtOnce() {
        let pace = HandlerPace()
        pace.started(in: .seconds(1), at: Self.begin)
        let starts = [Self.begin, Self.at(4)].map { pace.startsOnLoop(at: $0) }
        #expect(starts == [false, false])
    }

    @Test func oneThatAlwaysComputesLeavesItSoon() {
        let pace = HandlerPace()
        var calls = 0
        while pace.startsOnLoop(at: Self.begin), calls < 1000 {
            pace.started(in: .milliseconds(1), at: Self.begin)
            calls += 1
        }
        #expect(calls < 40)
    }

    @Test func oneSlowStartIsForgotten() {
        let pace = HandlerPace()
        pace.started(in: .seconds(1), at: Self.begin)
        // One is tried, and the others wait for what it says.
        let tries = (0..<3).map { _ in pace.startsOnLoop(at: Self.at(5)) }
        #expect(tries == [true, false, false])
        pace.started(in: .microseconds(3), at: Self.at(5))
        let later = pace.startsOnLoop(at: Self.at(5))
        #expect(later)
    }

    @Test func oneThatStaysSlowIsTriedLessAndLess() {
        let pace = HandlerPace()
        pace.started(in: .seconds(1), at: Self.begin)
        var tries: [Int64] = []
        for second in Int64(1)...3000 where pace.startsOnLoop(at: Self.at(second)) {
            tries.append(second)
            pace.started(in: .seconds(1), at: Self.at(second))
        }
        #expect(tries == [5, 15, 35, 75, 155, 315, 635, 1235, 1835, 2435])
    }

    @Test func aMethodThatBlocksIsMovedAwayFromItsConnection() async throws {
        let quickWasAnswered = DispatchSemaphore(value: 0)
        let methods: [String: RPCHandler] = [
            // Blocks its thread: briefly at first, then until the other method was answered.
            "Block": .unary { _, request in
                Self.block(until: request.text == "briefly" ? .now() + .milliseconds(50) : nil, quickWasAnswered)
                return UnaryResponse(request)
            },
            "Quick": .unary { _, request in UnaryResponse(request) },
        ]
        try await Loopback.with(methods) { loopback in
            try await loopback.expect("briefly", from: "Block", "briefly")
            async let second = loopback.unary("Block", "long")
            try await loopback.expect("a", from: "Quick", "a")
            quickWasAnswered.signal()
            let answer = try await second
            #expect(answer == "long")
        }
    }

    private static func block(until time: DispatchTime?, _ semaphore: DispatchSemaphore) {
        if let time { _ = semaphore.wait(timeout: time) } else { semaphore.wait() }
    }
}
