import Testing

@testable import Vision

@Suite struct BatchGainTests {
    @Test func aBatchPaysWhereItTakesLessThanItsSingles() {
        let gain = BatchGain(size: 4, rounds: [(8000, 6000), (16000, 12000), (8000, 6400)])
        #expect(gain.single == 2 && gain.batch == 1.6 && gain.ratio == 0.75 && gain.pays)
        // A twentieth is not worth waiting for.
        #expect(!BatchGain(size: 2, rounds: [(1000, 960)]).pays)
        #expect(BatchGain(size: 2, rounds: [(1000, 950)]).pays)
        // Rounds that were disturbed on both sides say nothing of the ratio.
        #expect(!BatchGain(size: 2, rounds: [(1000, 1100), (9000, 9900), (1000, 1100)]).pays)
        #expect(!BatchGain(size: 2, rounds: [(0, 10)]).pays)
    }

    @Test func aModelThatMayBatchIsMeasured() throws {
        let tiny = try TinyModels()
        defer { tiny.remove() }
        let gain = try #require(try tiny.model("bright-cells", maxBatchSize: 3).measureBatch())
        #expect(gain.size == 3 && gain.single > 0 && gain.batch > 0 && gain.ratio > 0)
        #expect(try tiny.model("bright-cells", maxBatchSize: 1).measureBatch() == nil)
        #expect(try tiny.model("mixes-batches", maxBatchSize: 3).measureBatch() == nil)
    }
}
