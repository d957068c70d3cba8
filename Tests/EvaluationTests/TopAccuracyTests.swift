import Evaluation
import Testing

@Suite struct TopAccuracyTests {
    @Test func firstAndFirstFiveCount() {
        var accuracy = TopAccuracy()
        #expect(accuracy.top1 == nil)
        accuracy.add(truth: 3, ranked: [3, 1])
        accuracy.add(truth: 3, ranked: [1, 2, 4, 5, 3])
        accuracy.add(truth: 3, ranked: [1, 2, 4, 5, 6, 3])
        accuracy.add(truth: 3, ranked: [])
        #expect(accuracy.pictures == 4)
        #expect(accuracy.top1 == 0.25)
        #expect(accuracy.top5 == 0.5)
    }
}
