import Messages
import Testing

@testable import Areas

@Suite struct ZoneTests {
    @Test func whoWalksThroughEntersAndLeavesOnce() {
        var walk = Walk(AreaSet(zones: [.square()]))
        let events = walk.walk((0..<60).map { (Float($0) * 5, 150) }, id: 7)
        #expect(events.kinds == [.enter, .leave])
        #expect(events.counts == [1, 0])
        #expect(events.allSatisfy { $0.area == "door" })
        #expect(events.filter { $0.kind != .count }.allSatisfy { $0.trackID == 7 && $0.label == "person" })
        // 100 pixels at 5 a frame, to the margin beyond the border both times.
        #expect(events.first { $0.kind == .leave }?.seconds == 0.8)
        #expect(events[0].atMilliseconds == Int64(events[0].sequence) * 40)
    }

    @Test func aZoneIsShownWithHowManyAreInIt() {
        var walk = Walk(AreaSet(zones: [.square(), .square("mat")]))
        let empty = walk.watch.figures(width: 640, height: 480)
        #expect(empty.map(\.name) == ["door", "mat"] && empty.allSatisfy { $0.isZone && $0.counts == [0] })
        #expect(empty[0].points == [Point(100, 100), Point(200, 100), Point(200, 200), Point(100, 200)])
        _ = walk.see([(1, 150, 150), (2, 160, 150), (3, 400, 400)])
        #expect(walk.watch.figures(width: 640, height: 480).map(\.counts) == [[2], [2]])
    }

    @Test func aTrackThatAppearsInsideEnters() {
        var walk = Walk(AreaSet(zones: [.square()]))
        #expect(walk.see([(1, 150, 150)]).kinds == [.enter])
        #expect(walk.see([(1, 150, 150)]).isEmpty)
    }

    @Test func aBoxThatJittersAtTheBorderEntersOnce() {
        var walk = Walk(AreaSet(zones: [.square()]))
        var events = walk.walk([(90, 150), (95, 150)])
        // Inside by one pixel, outside by one pixel: the margin is two.
        for _ in 0..<50 { events += walk.walk([(101, 150), (99, 150)]) }
        #expect(events.isEmpty)
        #expect(walk.walk([(120, 150)]).kinds == [.enter])
        for _ in 0..<50 { #expect(walk.walk([(99, 150), (101, 150)]).isEmpty) }
    }

    @Test func whoStaysJustInsideEntersAfterAWhile() {
        var walk = Walk(AreaSet(zones: [.square()]))
        let events = walk.walk([(90, 150)] + Array(repeating: (101, 150), count: 20))
        #expect(events.kinds == [.enter])
        // Half a second after the first frame inside.
        #expect(events.first?.atMilliseconds == 560)
    }

    @Test func aStayIsToldOnceItIsLongEnough() {
        var walk = Walk(AreaSet(zones: [.square(dwellSeconds: 1)]))
        var events = walk.walk(Array(repeating: (150, 150), count: 100))
        #expect(events.kinds == [.enter, .dwell])
        #expect(events.first { $0.kind == .dwell }?.seconds == 1)
        // A second stay is told again.
        events = walk.walk([(300, 150)] + Array(repeating: (150, 150), count: 30))
        #expect(events.kinds == [.leave, .enter, .dwell])
    }

    @Test func aLostTrackLeavesAfterAGraceAndNotBefore() {
        var walk = Walk(AreaSet(zones: [.square()]))
        _ = walk.walk(Array(repeating: (150, 150), count: 26))
        #expect(walk.nobody(for: 1.9).isEmpty)
        // Seen again in time: nothing happened.
        #expect(walk.see([(1, 150, 150)]).isEmpty)
        let events = walk.nobody(for: 3)
        #expect(events.kinds == [.leave])
        #expect(events.counts == [0])
        // It stayed for as long as it was seen: 26 frames, a gap of 47, and one more.
        #expect(events.first?.seconds == 2.92)
        #expect(walk.watch.trackCount == 0)
    }

    @Test func framesWithoutAnAnswerSayNothing() {
        var walk = Walk(AreaSet(zones: [.square()]))
        _ = walk.see([(1, 150, 150)])
        for status in [AnswerStatus.dropped, .error] {
            for _ in 0..<100 { #expect(walk.see([]) { $0.status = status }.isEmpty) }
        }
        for _ in 0..<100 {
            #expect(
                walk.see([]) {
                    $0.status = .partial
                    $0.missing = ["detect"]
                }.isEmpty)
        }
    }

    @Test func aTrackOfTheNextEpochGoesOnWhereItsObjectWas() {
        var walk = Walk(AreaSet(zones: [.square()]))
        _ = walk.walk([(150, 150), (152, 150)], id: 9)
        // Ids begin again: 1 stands where 9 stood, 9 is somebody else elsewhere.
        var events = walk.see([(1, 154, 150), (9, 400, 400)], epoch: 1)
        #expect(events.isEmpty)
        events = walk.nobody(for: 3)
        #expect(events.kinds == [.leave])
        #expect(events.first?.trackID == 1)
    }

    @Test func theSameIDOfAnotherEpochIsAnotherTrack() {
        var walk = Walk(AreaSet(zones: [.square()]))
        _ = walk.see([(1, 150, 150)])
        #expect(walk.see([(1, 500, 400)], epoch: 1).isEmpty)
        #expect(walk.nobody(for: 3).kinds == [.leave])
    }

    @Test func labelsDecideWhoMatters() {
        var walk = Walk(AreaSet(zones: [.square(labels: ["car", "7"])]))
        #expect(walk.see([(1, 150, 150), (nil, 150, 150)]).isEmpty)
        #expect(walk.see([(2, 150, 150)], label: "car").kinds == [.enter])
        // What a classifier says of the box counts too.
        let events = walk.see([(3, 150, 150)], label: "digit") { response in
            response.detections[0].classes = [Classification(classID: 7, label: "7", confidence: 0.9)]
        }
        #expect(events.kinds == [.enter])
    }

    @Test func objectsWithoutTracksAreCounted() {
        var walk = Walk(AreaSet(zones: [.square()]))
        let events = walk.see([(nil, 150, 150), (nil, 160, 160), (nil, 300, 300)])
        #expect(events.kinds.isEmpty)
        #expect(events.counts == [2])
        #expect(events.first?.label == nil)
        #expect(walk.see([(nil, 150, 150), (nil, 160, 160)]).isEmpty)
        #expect(walk.see([]).counts == [0])
    }

    @Test func zonesInFractionsFollowTheFrame() {
        let right = Zone(name: "right", points: [Point(0.5, 0), Point(1, 0), Point(1, 1), Point(0.5, 1)])
        var walk = Walk(AreaSet(zones: [right], normalized: true))
        #expect(walk.see([(1, 400, 200)]).kinds == [.enter])
        // The same place in a picture that is twice as wide.
        walk.width = 1280
        #expect(walk.see([(1, 400, 200)]).kinds == [.leave])
    }

    // ---- the lower edge of the picture ----

    /// From 300 to 400, down to `bottom`.
    private static func strip(to bottom: Double) -> AreaSet {
        let points = [Point(300, 200), Point(400, 200), Point(400, bottom), Point(300, bottom)]
        return AreaSet(zones: [Zone(name: "strip", points: points)])
    }

    @Test(arguments: [480.0, 479])
    func whoIsCutOffByThePictureStaysInAZoneThatGoesAsFar(_ bottom: Double) {
        var walk = Walk(Self.strip(to: bottom))
        let events = walk.walk([(350, 460), (350, 470)] + Array(repeating: (350, 480), count: 50))
        #expect(events.kinds == [.enter])
        // Nor does it matter whether anybody follows him.
        #expect(walk.see([(1, 350, 480), (nil, 380, 480)]).counts == [2])
    }

    @Test func theWholePictureIsOneZoneForWhomeverItShows() {
        let whole = Zone(name: "whole", points: [Point(0, 0), Point(1, 0), Point(1, 1), Point(0, 1)])
        var walk = Walk(AreaSet(zones: [whole], normalized: true))
        #expect(walk.see([(1, 10, 480), (2, 630, 480), (nil, 320, 480)]).counts == [3])
        let events = walk.walk(Array(repeating: (10, 480), count: 40))
        #expect(events.kinds.isEmpty)
    }

    @Test func whoIsCutOffByThePictureEntersAndLeavesAtTheOtherBorders() {
        var walk = Walk(Self.strip(to: 480))
        let events = walk.walk(stride(from: Float(280), through: 420, by: 5).map { ($0, 480) })
        #expect(events.kinds == [.enter, .leave])
        // 100 pixels at 5 a frame, to the margin beyond the border both times.
        #expect(events.first { $0.kind == .leave }?.seconds == 0.8)
    }

    @Test func aZoneThatEndsHigherHasNobodyBelowIt() {
        var walk = Walk(Self.strip(to: 470))
        #expect(walk.walk(Array(repeating: (350, 480), count: 50)).isEmpty)
    }

    @Test func aBowTieIsInsideByEvenAndOdd() {
        let points = [Point(0, 0), Point(100, 100), Point(100, 0), Point(0, 100)]
        let bowTie = Polygon(points: points)
        #expect(!bowTie.isFlat)
        #expect(bowTie.contains(Point(10, 50)))
        #expect(bowTie.contains(Point(90, 50)))
        #expect(!bowTie.contains(Point(50, 10)))
        #expect(!bowTie.contains(Point(50, 90)))
    }

    @Test func cornersThatRepeatDoNoHarm() {
        let twice = Polygon(points: [
            Point(0, 0), Point(0, 0), Point(10, 0), Point(10, 10), Point(10, 10), Point(0, 10),
        ])
        #expect(!twice.isFlat)
        #expect(twice.contains(Point(5, 5)))
        #expect(!twice.contains(Point(15, 5)))
        #expect(twice.distance(to: Point(5, 4)) == 4)
    }

    @Test func neighboursShareABorderAndNoObject() {
        let left = Polygon(points: [Point(0, 0), Point(10, 0), Point(10, 10), Point(0, 10)])
        let right = Polygon(points: [Point(10, 0), Point(20, 0), Point(20, 10), Point(10, 10)])
        for y in stride(from: 0.0, to: 10, by: 0.5) {
            let border = Point(10, y)
            #expect(left.contains(border) != right.contains(border))
        }
    }

    @Test func boxesThatAreNoNumbersAreNotSeen() {
        var walk = Walk(AreaSet(zones: [.square()]))
        #expect(walk.see([(1, .nan, 150), (2, .infinity, 150), (nil, .nan, .nan)]).isEmpty)
        #expect(walk.watch.trackCount == 0)
    }

    @Test func memoryIsBoundedAndTheLongestUnseenLeave() {
        var rules = AreaRules()
        rules.tracks = 10
        var walk = Walk(AreaSet(zones: [.square()]), rules: rules)
        _ = walk.see([(1000, 150, 150)])
        var events: [AreaEvent] = []
        for frame in UInt64(0)..<100 {
            let crowd = (0..<3).map { (id: UInt64?.some(frame * 3 + $0), x: Float(300), y: Float(300)) }
            events += walk.see(crowd)
            #expect(walk.watch.trackCount <= 10)
        }
        #expect(events.kinds == [.leave])
        #expect(events.first?.trackID == 1000)
    }

    @Test func timeThatGoesBackStandsStill() {
        var walk = Walk(AreaSet(zones: [.square(dwellSeconds: 1)]))
        _ = walk.see([(1, 150, 150)]) { $0.captureTime = .max }
        #expect(walk.see([(1, 150, 150)]) { $0.captureTime = .min }.isEmpty)
        #expect(walk.see([(1, 150, 150)]) { $0.captureTime = 5 }.isEmpty)
    }
}
