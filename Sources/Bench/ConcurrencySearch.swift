/// Looks for the most frames at once that are answered within a latency, in as few measurements as doubling and halving take.
///
///     doubling ──▶ halving ──▶ done
///         └───────────────────────▲
///
/// Doubling never measures far beyond what the mesh can do, as beginning at the end of the range would.
package struct ConcurrencySearch: Sendable {
    private let range: ClosedRange<Int>
    /// The answer is this exact.
    private let step: Int
    /// The most that was within the limit.
    package private(set) var best: Int?
    /// The least that was not.
    private var tooMany: Int?
    /// What is measured now; nil: the search is over.
    package private(set) var next: Int?

    package init(_ sweep: Sweep<Int>) {
        range = sweep.start...sweep.end
        step = sweep.step
        next = sweep.start
    }

    /// What was seen at `next`.
    package mutating func record(isWithinLimit: Bool) {
        guard let measured = next else { return }
        if isWithinLimit { best = measured } else { tooMany = measured }
        next = following()
    }

    private func following() -> Int? {
        guard let best else { return nil }
        guard let tooMany else {
            if best == range.upperBound { return nil }
            return best > range.upperBound / 2 ? range.upperBound : best * 2
        }
        guard tooMany - best > step else { return nil }
        return best + (tooMany - best) / 2
    }
}
