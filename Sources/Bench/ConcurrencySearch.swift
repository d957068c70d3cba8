/// Looks for the most frames at once that are answered within a latency, in as few measurements as doubling and halving take.
///
///     doubling ──▶ halving ──▶ done
///         └───────────────────────▲
///
/// Doubling never measures far beyond what the mesh can do, as beginning at the end of the range would. Only points of the
/// sweep are measured: the answer is the last of them within the limit.
package struct ConcurrencySearch: Sendable {
    /// Rising.
    private let points: [Int]
    /// The last point that was within the limit.
    private var within: Int?
    /// The first that was not.
    private var beyond: Int?
    /// The point that is measured now; nil: the search is over.
    private var current: Int?

    package init(_ sweep: Sweep<Int>) {
        points = sweep.points
        current = points.startIndex
    }

    /// What is measured now; nil: the search is over.
    package var next: Int? { current.map { points[$0] } }

    /// What was seen at `next`.
    package mutating func record(isWithinLimit: Bool) {
        guard let current else { return }
        if isWithinLimit { within = current } else { beyond = current }
        self.current = following()
    }

    private func following() -> Int? {
        guard let within else { return nil }
        guard let beyond else {
            guard within < points.count - 1 else { return nil }
            let doubled = points.lastIndex { $0 <= points[within] * 2 } ?? within
            return max(doubled, within + 1)
        }
        guard beyond - within > 1 else { return nil }
        return within + (beyond - within) / 2
    }
}
