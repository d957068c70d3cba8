import Testing

@testable import Gateway

@Suite struct StreamLifeTests {
    private let start = ContinuousClock.now
    private let stall = Duration.seconds(5)

    @Test func aStreamIsLookedAtWhenItMayBeSilentForTooLong() {
        var life = StreamLife(now: start)
        // It may become live at any time from now on: that is never noticed too late.
        #expect(life.nextLook(start + .seconds(2), stall: stall) == start + .seconds(7))
        #expect(life.answered(start + .seconds(2)) == true)
        #expect(life.nextLook(start + .seconds(3), stall: stall) == start + .seconds(7))
        #expect(life.answered(start + .seconds(6)) == false)
        #expect(life.look(start + .seconds(7), stall: stall) == false)
        #expect(life.nextLook(start + .seconds(7), stall: stall) == start + .seconds(11))
        #expect(life.look(start + .seconds(11), stall: stall) == true)
        #expect(life.state == .stalled)
        #expect(life.cause == "no frames for 5 s")
        // Once.
        #expect(life.look(start + .seconds(20), stall: stall) == false)
    }

    @Test func whatIsOverStaysAsItIs() {
        var life = StreamLife(now: start)
        #expect(life.trouble("nobody there") == true)
        #expect(life.state == .connecting)
        #expect(life.trouble("nobody there") == false)
        #expect(life.fail("nobody came") == true)
        #expect(life.end() == false)
        #expect(life.answered(start) == false)
        #expect(life.look(start + .seconds(60), stall: stall) == false)
        #expect(life.state == .failed && life.cause == "nobody came")
    }
}
