import Bench

/// How long a point is measured, and when it is good enough.
struct BenchTiming: Sendable, Equatable {
    /// Not measured, at the start of each point.
    var warmup: Duration = .seconds(1)
    var window: Duration = .seconds(5)
    /// For so long, however much windows differ; nil: until they agree.
    var duration: Duration?
    var rules = Steadiness.Rules()
    /// Of the latency that has to agree, and that a limit is about; nil: the mean.
    var percentile: Double?

    /// Windows of a run of fixed length, at least, so that there is something to compare.
    static let leastWindows = 3

    /// Of a run of fixed length: how many windows, and how long each is.
    var parts: (count: Int, length: Duration)? {
        guard let duration else { return nil }
        let windows = min((duration / window).rounded(), Double(BenchPlan.maxTrials))
        let count = max(Self.leastWindows, Int(windows))
        return (count, duration / count)
    }
}
