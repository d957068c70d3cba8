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
        #expect(life.look(start + .seconds(7), stall: stall, hasFrames: false) == false)
        #expect(life.nextLook(start + .seconds(7), stall: stall) == start + .seconds(11))
        #expect(life.look(start + .seconds(11), stall: stall, hasFrames: false) == true)
        #expect(life.state == .stalled)
        #expect(life.cause == "no frames for 5 s")
        // Once.
        #expect(life.look(start + .seconds(20), stall: stall, hasFrames: false) == false)
    }

    /// Frames come, and have no result: it is not the source that is silent.
    @Test func whoIsSilentIsNamed() {
        func looked(_ life: inout StreamLife, _ seconds: Int64, hasFrames: Bool) -> String? {
            life.look(start + .seconds(seconds), stall: stall, hasFrames: hasFrames) ? life.cause : nil
        }
        var life = StreamLife(now: start)
        #expect(looked(&life, 6, hasFrames: false) == nil, "it may take its time to begin")
        #expect(looked(&life, 6, hasFrames: true) == "no answer of the mesh for 5 s")
        #expect(life.state == .connecting)
        #expect(looked(&life, 7, hasFrames: true) == nil, "once")
        #expect(life.answered(start + .seconds(8)) == true)
        #expect(life.cause == nil)
        #expect(looked(&life, 13, hasFrames: true) == "no answer of the mesh for 5 s")
        #expect(life.state == .stalled)
        // What the mesh says itself is better.
        life.missed("no nodes for the stage detect")
        #expect(looked(&life, 14, hasFrames: true) == "no nodes for the stage detect")
        #expect(looked(&life, 15, hasFrames: false) == "no frames for 5 s")
        // So is what is known of the source or the mesh.
        #expect(life.trouble("no coordinator answers") == true)
        #expect(looked(&life, 60, hasFrames: true) == nil)
        #expect(life.answered(start + .seconds(61)) == true)
        #expect(looked(&life, 66, hasFrames: true) == "no answer of the mesh for 5 s")
    }

    @Test func whatIsOverStaysAsItIs() {
        var life = StreamLife(now: start)
        #expect(life.trouble("nobody there") == true)
        #expect(life.state == .connecting)
        #expect(life.trouble("nobody there") == false)
        #expect(life.fail("nobody came") == true)
        #expect(life.end() == false)
        #expect(life.answered(start) == false)
        #expect(life.look(start + .seconds(60), stall: stall, hasFrames: false) == false)
        #expect(life.state == .failed && life.cause == "nobody came")
    }
}
