import Messages
import Testing

@testable import Areas

@Suite struct LineTests {
    /// From left to right across the middle: forward is downwards.
    static let middle = AreaSet(lines: [Line(name: "middle", from: Point(100, 200), to: Point(300, 200))])

    private func down(_ x: Float, from start: Float = 150, to end: Float = 250) -> [(x: Float, y: Float)] {
        stride(from: start, through: end, by: 5).map { (x, $0) }
    }

    @Test func whoCrossesIsCountedEachWay() {
        var walk = Walk(Self.middle)
        var events = walk.walk(down(200))
        #expect(events.map(\.kind) == [.cross])
        #expect(events.first?.direction == .forward)
        #expect(events.first?.count == 1)
        events = walk.walk(down(200).reversed())
        #expect(events.map(\.direction) == [.backward])
        #expect(events.first?.count == 1)
        events = walk.walk(down(150), id: 2)
        #expect(events.map(\.direction) == [.forward])
        #expect(events.first?.count == 2)
    }

    @Test func aLineIsShownWithItsCrossings() {
        let whole = Line(name: "middle", from: Point(0, 0.5), to: Point(1, 0.5))
        var walk = Walk(AreaSet(lines: [whole], normalized: true))
        _ = walk.walk(down(200, from: 190, to: 290))
        let figures = walk.watch.figures(width: 640, height: 480)
        #expect(
            figures == [
                AreaFigure(name: "middle", points: [Point(0, 240), Point(640, 240)], isZone: false, counts: [1, 0])
            ])
    }

    @Test func whoPassesItsEndDoesNotCross() {
        var walk = Walk(Self.middle)
        #expect(walk.walk(down(350)).isEmpty)
        // And comes back between the ends: that is a crossing, backwards.
        let back = down(350).reversed().filter { $0.y > 240 } + down(200).reversed()
        #expect(walk.walk(back).map(\.direction) == [.backward])
    }

    @Test func aBoxThatJittersOnTheLineCrossesOnce() {
        var walk = Walk(Self.middle)
        var events = walk.walk(down(200, to: 195))
        for _ in 0..<50 { events += walk.walk([(200, 199), (200, 201)]) }
        #expect(events.isEmpty)
        events = walk.walk([(200, 210)])
        #expect(events.map(\.direction) == [.forward])
        for _ in 0..<50 { events += walk.walk([(200, 199), (200, 201)]) }
        #expect(events.count == 1)
    }

    @Test func whoStopsOnTheFarSideHasCrossed() {
        var walk = Walk(Self.middle)
        let events = walk.walk([(200, 190)] + Array(repeating: (200, 201), count: 20))
        #expect(events.map(\.direction) == [.forward])
    }

    @Test func whoStandsOnTheLineHasNoSideYet() {
        var walk = Walk(Self.middle)
        #expect(walk.walk(Array(repeating: (200, 200), count: 50)).isEmpty)
        // From the line itself nobody crosses.
        #expect(walk.walk([(200, 240)]).isEmpty)
        #expect(walk.walk([(200, 200), (200, 160)]).map(\.direction) == [.backward])
    }

    @Test func aLeapOverTheLineIsACrossing() {
        var walk = Walk(Self.middle)
        #expect(walk.walk([(150, 20), (250, 460)]).map(\.direction) == [.forward])
        // The straight way passes the end.
        #expect(walk.walk([(290, 460), (600, 20)]).isEmpty)
    }

    @Test func aTrackThatAppearsBeyondHasNotCrossed() {
        var walk = Walk(Self.middle)
        #expect(walk.see([(1, 200, 100), (2, 200, 300)]).isEmpty)
        #expect(walk.see([(3, 200, 300)]).isEmpty)
    }

    @Test func aSlantedLineHasItsDirection() {
        // Upwards in the picture: forward is to the right.
        var walk = Walk(AreaSet(lines: [Line(name: "up", from: Point(300, 400), to: Point(300, 100))]))
        #expect(walk.walk([(250, 300), (350, 300)]).map(\.direction) == [.forward])
    }

    @Test func labelsDecideWhoMatters() {
        var line = Self.middle.lines[0]
        line.labels = ["car"]
        var walk = Walk(AreaSet(lines: [line]))
        #expect(walk.walk(down(200)).isEmpty)
    }

    @Test func aLostTrackMayCrossUnseen() {
        var walk = Walk(Self.middle)
        _ = walk.walk([(200, 180)])
        _ = walk.nobody(for: 1)
        #expect(walk.walk([(200, 230)]).map(\.direction) == [.forward])
        // After its grace it is another one.
        _ = walk.nobody(for: 3)
        #expect(walk.walk([(200, 180)]).isEmpty)
    }
}
