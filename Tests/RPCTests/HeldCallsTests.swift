import NIOCore
import Testing

@testable import RPC

@Suite struct HeldCallsTests {
    private static let method = ServerMethod(
        .unary { _, request in UnaryResponse(request) }, of: MethodDescription(service: "a.B", method: "C"), .init(),
        interceptors: [])

    private static func holding(_ count: Int) -> HeldCalls {
        var held = HeldCalls(maxRunning: 4)
        add(count, to: &held)
        return held
    }

    private static func add(_ count: Int, to held: inout HeldCalls) {
        for number in 0..<count {
            let context = CallContext(
                path: method.path, metadata: [:], deadline: nil, peer: "a", takesAttachments: false)
            held.add(
                ServerCall(stream: Int32(2 * number + 1), context: context, method: method, start: .distantPast))
        }
    }

    /// As many as may.
    private static func start(_ held: inout HeldCalls) -> [ServerCall] {
        var started: [ServerCall] = []
        while let call = held.next() { started.append(call) }
        return started
    }

    /// How many start at a time, where all that run end before the next do.
    private static func rounds(_ held: inout HeldCalls, hasRoom: Bool) -> [Int] {
        var counts: [Int] = []
        while !held.isEmpty {
            let running = start(&held)
            counts.append(running.count)
            for call in running { _ = held.ended(call, hasRoom: hasRoom) }
        }
        return counts
    }

    @Test func fewRunAtATimeWhileMuchWaitsToBeSent() {
        var held = Self.holding(18)
        let counts = Self.rounds(&held, hasRoom: false)
        #expect(counts == [4, 4, 4, 4, 2])
    }

    @Test func moreAndMoreRunAtATimeWhileLittleWaits() {
        var held = Self.holding(100)
        let counts = Self.rounds(&held, hasRoom: true)
        #expect(counts == [4, 8, 16, 32, 40])
        // The next time that much waits, it begins with few.
        Self.add(18, to: &held)
        let again = Self.rounds(&held, hasRoom: false)
        #expect(again == [4, 4, 4, 4, 2])
    }

    @Test func whenMuchWaitsAgainFewerRun() {
        var held = Self.holding(100)
        for call in Self.start(&held) { _ = held.ended(call, hasRoom: true) }
        let running = Self.start(&held)
        #expect(running.count == 8)
        let mayGoOn = held.ended(running[0], hasRoom: false)
        #expect(mayGoOn)
        // Seven run.
        let more = Self.start(&held)
        #expect(more.isEmpty)
    }

    @Test func whatWasNotHeldMakesNoRoom() {
        var held = Self.holding(10)
        let running = Self.start(&held)
        var stranger = HeldCalls(maxRunning: 4)
        Self.add(10, to: &stranger)
        let other = Self.start(&stranger)
        for call in running { _ = held.ended(call, hasRoom: false) }
        // They have ended already.
        let mayGoOn = other.map { held.ended($0, hasRoom: true) }
        #expect(mayGoOn == [false, false, false, false])
        let next = Self.start(&held)
        #expect(next.count == 4)
    }
}
