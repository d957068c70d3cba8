/// What a batch costs beside its pictures one by one, on this machine.
public struct BatchGain: Sendable, Hashable {
    /// Pictures in the batch.
    public var size: Int
    /// Milliseconds of the network for a picture, alone and in the batch; medians.
    public var single: Double
    public var batch: Double
    /// The median of what the batch took of its singles' time in the same round: below 1 it is faster.
    public var ratio: Double

    /// What is gained must be worth that pictures wait for each other.
    static let leastGain = 0.05

    public var pays: Bool { ratio <= 1 - Self.leastGain }

    /// - Parameter rounds: microseconds of `size` singles together, and of the batch; not empty.
    init(size: Int, rounds: [(singles: UInt64, batch: UInt64)]) {
        self.size = size
        single = Self.median(rounds.map { Double($0.singles) }) / Double(size) / 1000
        batch = Self.median(rounds.map { Double($0.batch) }) / Double(size) / 1000
        ratio = Self.median(rounds.map { Double($0.batch) / Double(max($0.singles, 1)) })
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}

extension Model {
    /// Rounds of the measurement, each of a batch and of as many singles: what slows a round down slows both sides.
    static let batchRounds = 9

    /// Whether batches of `maxBatchSize` pay; nil where there are none.
    public func measureBatch() throws(VisionError) -> BatchGain? {
        guard maxBatchSize > 1 else { return nil }
        var rounds: [(singles: UInt64, batch: UInt64)] = []
        // The first pass of each size is made only once.
        _ = try pass(over: maxBatchSize)
        for _ in 0..<Self.batchRounds {
            // Another size means new places in memory, on either side, as in a node: batches are as large as what waits.
            var singles: UInt64 = 0
            for _ in 0..<maxBatchSize { singles += try pass(over: 1).infer }
            rounds.append((singles, try pass(over: maxBatchSize).infer))
        }
        return BatchGain(size: maxBatchSize, rounds: rounds)
    }
}
