/// When a measurement is good enough, by perf_analyzer's method: windows are measured until the last three agree in throughput
/// and latency, or there were too many of them.
package struct Steadiness: Sendable {
    package struct Rules: Sendable, Equatable {
        /// Windows that have to agree.
        package var agreeing = 3
        /// How far the largest may be above the smallest of them, as a share of it.
        package var tolerance = 0.1
        /// Windows at most.
        package var maxTrials = 10
        /// Milliseconds: when all of the last windows took longer, it is known well enough; nil: there is no limit.
        package var latencyLimit: Double?

        package init() {}
    }

    /// What is known of a window.
    package struct Sample: Sendable, Equatable {
        /// Frames a second.
        package var throughput: Double
        /// Milliseconds.
        package var latency: Double

        package init(throughput: Double, latency: Double) {
            self.throughput = throughput
            self.latency = latency
        }
    }

    package enum Verdict: Sendable, Equatable {
        case goOn
        case stable
        /// Too many windows, and the last did not agree.
        case unstable
        /// All of the last windows were beyond the limit of the latency.
        case beyondLimit
    }

    private let rules: Rules
    private var samples: [Sample] = []

    package init(_ rules: Rules) { self.rules = rules }

    package var trials: Int { samples.count }

    package mutating func add(_ sample: Sample) -> Verdict {
        samples.append(sample)
        if agrees { return .stable }
        let last = samples.suffix(rules.agreeing)
        if let limit = rules.latencyLimit, last.count == rules.agreeing, last.allSatisfy({ $0.latency > limit }) {
            return .beyondLimit
        }
        return samples.count >= rules.maxTrials ? .unstable : .goOn
    }

    /// The last windows agree.
    package var agrees: Bool { agree(samples.suffix(rules.agreeing)) }

    /// All windows do: of a run whose numbers are of all of them.
    package var allAgree: Bool { agree(samples[...]) }

    private func agree(_ samples: ArraySlice<Sample>) -> Bool {
        guard samples.count >= rules.agreeing else { return false }
        return isClose(samples.map(\.throughput)) && isClose(samples.map(\.latency))
    }

    /// Windows in which nothing was answered do not agree.
    private func isClose(_ values: [Double]) -> Bool {
        guard let least = values.min(), let most = values.max(), least > 0 else { return false }
        return most <= least * (1 + rules.tolerance)
    }
}
