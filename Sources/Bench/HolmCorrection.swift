/// Many comparisons at once: of twenty, one in which nothing has changed looks as if it had.
///
/// Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure" (1979). It needs nothing of how the comparisons hang
/// together, as the latencies of one run do.
enum HolmCorrection {
    /// - Returns: for each how likely at least one of those with it or less would be found where nothing has changed, in the
    ///   same order.
    static func adjusted(_ probabilities: [Double]) -> [Double] {
        var adjusted = probabilities
        var largest = 0.0
        for (rank, index) in probabilities.indices.sorted(by: { probabilities[$0] < probabilities[$1] }).enumerated() {
            largest = max(largest, min(1, probabilities[index] * Double(probabilities.count - rank)))
            adjusted[index] = largest
        }
        return adjusted
    }
}
