import Messages
import Testing

@testable import Tracking

@Suite struct ExtentTests {
    private let object = Box(x: 100, y: 50, width: 40, height: 80)

    @Test func aBoxOfTheKnownSizeStaysAsItIs() {
        let seen = Box(x: 103, y: 52, width: 44, height: 72)
        #expect(Extent(object).whole(seen, expected: object) == seen)
    }

    /// The side where it is expected is the object's own.
    @Test func aPieceIsMadeWhole() {
        let extent = Extent(object)
        #expect(extent.whole(Box(x: 101, y: 50, width: 15, height: 80), expected: object).x == 101)
        #expect(extent.whole(Box(x: 125, y: 50, width: 15, height: 80), expected: object).x == 100)
        let top = extent.whole(Box(x: 100, y: 52, width: 40, height: 30), expected: object)
        #expect(top == Box(x: 100, y: 52, width: 40, height: 80))
        #expect(extent.whole(Box(x: 100, y: 100, width: 40, height: 30), expected: object) == object)
    }

    @Test func aPieceIsShorterOnOneSide() {
        let extent = Extent(object)
        #expect(!extent.isPiece(Box(x: 0, y: 0, width: 36, height: 72)))
        #expect(extent.isPiece(Box(x: 0, y: 0, width: 30, height: 80)))
        #expect(extent.isPiece(Box(x: 0, y: 0, width: 40, height: 60)))
        #expect(!extent.isPiece(Box(x: 0, y: 0, width: 80, height: 90)))
    }

    @Test func whatRanTogetherWithAnotherIsCutBack() {
        let both = Box(x: 102, y: 50, width: 75, height: 80)
        #expect(Extent(object).whole(both, expected: object) == Box(x: 102, y: 50, width: 40, height: 80))
    }

    @Test func aSmallerSizeIsBelievedByAndBy() {
        var extent = Extent(object)
        for _ in 0..<10 { extent.take(Box(x: 0, y: 0, width: 20, height: 80), after: 0.04, sightings: 9) }
        #expect(extent.width > 30)
        #expect(extent.height == 80)
        for _ in 0..<100 { extent.take(Box(x: 0, y: 0, width: 20, height: 80), after: 0.04, sightings: 9) }
        #expect(abs(extent.width - 20) < 1)
    }

    @Test func aGreaterOneIsBelievedSoonerAndAtOnceWhileItComesIntoView() {
        let wide = Box(x: 0, y: 0, width: 80, height: 80)
        var extent = Extent(object)
        extent.take(wide, after: 0.04, sightings: 2)
        #expect(extent.width == 80)
        extent = Extent(object)
        extent.take(wide, after: 0.04, sightings: 9)
        #expect(extent.width < 50)
        for _ in 0..<25 { extent.take(wide, after: 0.04, sightings: 9) }
        #expect(extent.width > 75)
    }

    @Test func theSharedPartIsOfTheSmallerBox() {
        let piece = Box(x: 110, y: 60, width: 10, height: 10)
        #expect(object.sharedPart(piece) == 1)
        #expect(piece.sharedPart(object) == 1)
        #expect(object.sharedPart(Box(x: 120, y: 50, width: 40, height: 80)) == 0.5)
        #expect(object.sharedPart(Box(x: 200, y: 50, width: 40, height: 80)) == 0)
    }
}
