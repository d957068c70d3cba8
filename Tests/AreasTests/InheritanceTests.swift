import Messages
import Testing

@testable import Areas

/// Objects that are lost, found again, named anew or not named at all.
@Suite struct InheritanceTests {
    @Test func anObjectThatLosesItsIDForAWhileIsCountedOnce() {
        var walk = Walk(AreaSet(zones: [.square(dwellSeconds: 1)]))
        var events = walk.walk(Array(repeating: (150, 150), count: 10), id: 7)
        // The tracker has lost it; the detector sees it, a little further each time.
        for step in 0..<10 { events += walk.see([(nil, 150 + Float(step), 150)]) }
        events += walk.walk(Array(repeating: (160, 150), count: 20), id: 7)
        #expect(events.kinds == [.enter, .dwell])
        #expect(events.counts == [1])
        #expect(events.first { $0.kind == .dwell }?.seconds == 1)
    }

    @Test func whoIsSeenWithoutAnIDHasNotLeft() {
        var walk = Walk(AreaSet(zones: [.square()]))
        _ = walk.see([(7, 150, 150)])
        // Longer than the grace.
        for _ in 0..<100 { #expect(walk.see([(nil, 150, 150)]).isEmpty) }
        // It walks out, still without an id.
        var events: [AreaEvent] = []
        for step in 0..<20 { events += walk.see([(nil, 150 + Float(step) * 4, 150)]) }
        #expect(events.kinds == [.leave])
        #expect(events.first?.trackID == 7)
        #expect(events.counts == [0])
    }

    @Test func aLostTrackAndAnObjectElsewhereAreTwo() {
        var walk = Walk(AreaSet(zones: [.square()]))
        _ = walk.see([(7, 120, 150)])
        #expect(walk.see([(nil, 180, 150)]).counts == [2])
        // Two that are seen where one was lost are two.
        #expect(walk.see([(nil, 120, 150), (nil, 122, 150)]).isEmpty)
        #expect(walk.see([(nil, 120, 150)]).counts == [1])
    }

    @Test func aNewIDInTheSamePlaceGoesOnWithTheStay() {
        var walk = Walk(AreaSet(zones: [.square(dwellSeconds: 1)]))
        var events = walk.walk(Array(repeating: (150, 150), count: 15), id: 1)
        events += walk.nobody(for: 0.2)
        events += walk.walk(Array(repeating: (152, 150), count: 15), id: 2)
        #expect(events.kinds == [.enter, .dwell])
        #expect(events.counts == [1])
        let dwell = events.first { $0.kind == .dwell }
        #expect(dwell?.trackID == 2)
        #expect(dwell?.seconds == 1)
        events = walk.nobody(for: 3)
        #expect(events.kinds == [.leave])
        #expect(events.first?.trackID == 2)
    }

    @Test func aNewIDBeyondTheLineHasCrossedIt() {
        var walk = Walk(AreaSet(lines: [Line(name: "door", from: Point(0, 150), to: Point(640, 150))]))
        var events = walk.walk([(150, 140), (150, 142), (150, 144)], id: 1)
        events += walk.walk([(150, 156), (150, 160)], id: 2)
        #expect(events.map(\.direction) == [.forward])
        #expect(events.first?.trackID == 2)
    }

    @Test func whoIsSeenLeavesNoPlaceToTake() {
        var walk = Walk(AreaSet(zones: [.square()]))
        _ = walk.see([(1, 150, 150)])
        // The newcomer is told of first, and all but covers the one who is there.
        #expect(walk.see([(2, 151, 150), (1, 150, 150)]).counts == [2])
        #expect(walk.nobody(for: 3).kinds == [.leave, .leave])
    }

    @Test func whoStandsBesideTheLostOneIsSomebodyElse() {
        var walk = Walk(AreaSet(zones: [.square()]))
        _ = walk.see([(1, 150, 150)])
        // Less than half of both boxes is common: one third of the union.
        let events = walk.see([(2, 160, 150)])
        #expect(events.kinds == [.enter])
        #expect(events.counts == [2])
        // Of a tracker that begins anew that is near enough.
        #expect(walk.see([(1, 170, 150)], epoch: 1).isEmpty)
    }

    @Test func anotherLabelIsSomebodyElse() {
        var walk = Walk(AreaSet(zones: [.square()]))
        _ = walk.see([(1, 150, 150)])
        #expect(walk.see([(2, 150, 150)], label: "dog").counts == [2])
    }

    @Test func theBestPairsComeFirst() {
        var walk = Walk(AreaSet(zones: [.square("left"), Zone.square("right").moved(by: 20)]))
        _ = walk.see([(1, 150, 150), (2, 154, 150)])
        // 3 is nearer to 2 than to 1, and 4 is where 1 was.
        _ = walk.see([(3, 153, 150), (4, 150, 150)])
        var events = walk.see([(3, 153, 150), (4, 150, 150)])
        events += walk.nobody(for: 3)
        #expect(events.kinds == [.leave, .leave, .leave, .leave])
        #expect(Set(events.compactMap(\.trackID)) == [3, 4])
        #expect(walk.watch.trackCount == 0)
    }

    @Test func aTrackIsTakenOver() {
        let track = FollowedTrack(Walk.detection(nil, 100, 100), zones: 0, lines: 0)
        let tracks = [FollowedTrack.Key(epoch: 0, id: 1): track, FollowedTrack.Key(epoch: 0, id: 2): track]
        let found = [Walk.detection(nil, 101, 100), Walk.detection(nil, 100, 100), Walk.detection(nil, 102, 100)]
        let heirs = Inheritance(AreaRules()).heirs(of: tracks, among: found, epoch: 0)
        // Equal tracks: by their ids. One detection is too many.
        #expect(heirs == [1: .init(epoch: 0, id: 1), 0: .init(epoch: 0, id: 2)])
    }

    @Test func aGraceOfOneFrameForgetsAtOnce() {
        var rules = AreaRules()
        rules.grace = .milliseconds(40)
        var walk = Walk(AreaSet(zones: [.square()]), rules: rules)
        _ = walk.see([(1, 150, 150)])
        #expect(walk.see([(2, 150, 150)]).isEmpty)
        #expect(walk.see([]).kinds == [.leave])
        #expect(walk.see([(3, 150, 150)]).kinds == [.enter])
    }

    @Test func timesThatStandStillDoNotKeepAPlaceTaken() {
        var walk = Walk(AreaSet(zones: [.square()]))
        _ = walk.see([(1, 150, 150)]) { $0.captureTime = 5 }
        #expect(walk.see([(2, 150, 150)]) { $0.captureTime = 5 }.isEmpty)
    }
}

extension Zone {
    fileprivate func moved(by distance: Double) -> Zone {
        var zone = self
        zone.points = points.map { Point($0.x + distance, $0.y) }
        return zone
    }
}
