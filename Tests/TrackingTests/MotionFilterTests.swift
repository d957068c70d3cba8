import Messages
import Testing

@testable import Tracking

@Suite struct MotionFilterTests {
    private func moved(steps: Int, of seconds: Double) -> MotionFilter {
        var filter = MotionFilter(Box(x: 0, y: 0, width: 40, height: 80))
        for index in 1...20 {
            filter.predict(0.04)
            filter.correct(Box(x: Float(index) * 4, y: 0, width: 40, height: 80))
        }
        for _ in 0..<steps { filter.predict(seconds) }
        return filter
    }

    @Test func learnsAConstantVelocity() throws {
        let filter = moved(steps: 1, of: 0.5)
        let box = try #require(filter.box)
        #expect(abs(filter.velocity.x - 100) < 3)
        #expect(abs(filter.velocity.y) < 1)
        #expect(abs(box.x - 130) < 4)
        #expect(abs(box.height - 80) < 1)
    }

    @Test func oneLongStepEqualsManyShortOnes() throws {
        var long = moved(steps: 1, of: 0.8)
        var short = moved(steps: 20, of: 0.04)
        // A correction shows the covariance too.
        let sighting = Box(x: 200, y: 10, width: 44, height: 70)
        long.correct(sighting)
        short.correct(sighting)
        let a = try #require(long.box)
        let b = try #require(short.box)
        #expect(abs(a.x - b.x) < 0.01)
        #expect(abs(a.width - b.width) < 0.01)
        #expect(abs(long.velocity.x - short.velocity.x) < 0.05)
    }

    @Test func aSizeThatVanishesIsNoBox() {
        var filter = MotionFilter(Box(x: 0, y: 0, width: 100, height: 100))
        for index in 1...10 {
            filter.predict(0.04)
            filter.correct(Box(x: 0, y: 0, width: 100 - Float(index) * 9, height: 100))
        }
        filter.predict(5)
        #expect(filter.box == nil)
    }
}
