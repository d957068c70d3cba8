import Dispatch
import NIOCore
import Testing

@testable import RPC

@Suite struct HandlerPaceTests {
    @Test func shortHandlersStayOnTheLoop() {
        let pace = HandlerPace()
        for call in 0..<100_000 {
            // Once in a while one is interrupted.
            pace.started(in: call % 1000 == 999 ? .milliseconds(4) : .microseconds(3))
        }
        let startsOnLoop = pace.startsOnLoop
        #expect(startsOnLoop)
    }

    @Test func oneThatBlocksForLongLeavesTheLoopAtOnce() {
        let pace = HandlerPace()
        pace.started(in: .seconds(1))
        let atOnce = pace.startsOnLoop
        for _ in 0..<1000 { pace.started(in: .nanoseconds(0)) }
        let later = pace.startsOnLoop
        #expect(!atOnce && !later)
    }

    @Test func oneThatAlwaysComputesLeavesItSoon() {
        let pace = HandlerPace()
        var calls = 0
        while pace.startsOnLoop, calls < 1000 {
            pace.started(in: .milliseconds(1))
            calls += 1
        }
        #expect(calls < 40)
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
