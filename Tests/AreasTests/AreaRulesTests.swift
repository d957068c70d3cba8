import Testing

@testable import Areas

/// Each number of `AreaRules` decides what it says.
@Suite struct AreaRulesTests {
    private static let middle = AreaSet(lines: [Line(name: "middle", from: Point(100, 200), to: Point(300, 200))])

    /// Boxes are 40 pixels high.
    @Test func theMarginIsAShareOfTheBox() {
        var rules = AreaRules()
        rules.margin = 1
        rules.settling = .seconds(3600)
        var walk = Walk(Self.middle, rules: rules)
        #expect(walk.walk([(200, 150), (200, 190), (200, 210), (200, 238)]).isEmpty)
        #expect(walk.walk([(200, 242)]).map(\.direction) == [.forward])
    }

    /// 25 frames a second; the margin is never reached.
    @Test func whoStaysBeyondForTheSettlingIsAcross() {
        var rules = AreaRules()
        rules.margin = 1
        rules.settling = .seconds(2)
        var walk = Walk(Self.middle, rules: rules)
        #expect(walk.walk([(200, 190)] + Array(repeating: (200, 201), count: 40)).isEmpty)
        #expect(walk.walk(Array(repeating: (200, 201), count: 20)).map(\.direction) == [.forward])
    }

    /// Boxes of 20 pixels that are 10 apart: a third of their union is common.
    @Test(arguments: [(0.3, true), (0.4, false)])
    func whoOverlapsALostTrackOfTheEpochGoesOnWithIt(_ overlap: Double, _ isSame: Bool) {
        var rules = AreaRules()
        rules.sameEpochOverlap = overlap
        var walk = Walk(AreaSet(zones: [.square()]), rules: rules)
        _ = walk.see([(1, 150, 150)])
        #expect(walk.see([(2, 160, 150)]).kinds == (isSame ? [] : [.enter]))
    }

    @Test(arguments: [(0.3, true), (0.4, false)])
    func whoOverlapsATrackOfAnotherEpochGoesOnWithIt(_ overlap: Double, _ isSame: Bool) {
        var rules = AreaRules()
        rules.otherEpochOverlap = overlap
        var walk = Walk(AreaSet(zones: [.square()]), rules: rules)
        _ = walk.see([(1, 150, 150)])
        #expect(walk.see([(2, 160, 150)], epoch: 1).kinds == (isSame ? [] : [.enter]))
    }
}
