/// What changed between two results, with how sure that is.
///
/// A sample is a run, where both sides have several (results appended to one file); else it is a window. Windows of one run
/// share what the machine did in that minute, so they make differences look surer than they are: runs in turns are better.
package struct Comparison: Sendable {
    package enum Verdict: String, Sendable {
        case better, worse
        case noDifference = "no difference"
        /// Too few samples to tell.
        case unknown
    }

    /// One number of one load.
    package struct Row: Sendable {
        package var load: LoadDescription
        package var metric: String
        package var base: MeanInterval
        package var new: MeanInterval
        package var difference: MeanInterval
        package var verdict: Verdict

        /// Of the base, as shares of it.
        package var change: Double { base.mean == 0 ? 0 : difference.mean / base.mean }
        package var margin: Double? { base.mean == 0 ? nil : difference.margin.map { $0 / base.mean } }
    }

    package private(set) var rows: [Row] = []
    /// Loads that only one of the two has.
    package private(set) var unmatched: [LoadDescription] = []
    /// What differs in the records of the machines and options: the numbers may be of different things.
    package private(set) var warnings: [String] = []

    /// A latency is of answers: without one there is none.
    private static let metrics: [(name: String, isLatency: Bool, value: @Sendable (BenchPoint) -> Double)] = [
        ("frames/s", false, { $0.framesPerSecond }), ("mean ms", true, { $0.latencyMs.mean }),
        ("p50 ms", true, { $0.latencyMs.p50 }), ("p99 ms", true, { $0.latencyMs.p99 }),
    ]
    private static let windowMetrics: [@Sendable (WindowRecord) -> Double] = [
        { $0.framesPerSecond }, { $0.latencyMs.mean }, { $0.latencyMs.p50 }, { $0.latencyMs.p99 },
    ]

    package init(_ base: [BenchResult], _ new: [BenchResult]) {
        let (old, other) = (Self.points(base), Self.points(new))
        for load in old.order {
            guard let before = old.points[load], let after = other.points[load] else {
                unmatched.append(load)
                continue
            }
            let byRun = before.count > 1 && after.count > 1
            for (index, metric) in Self.metrics.enumerated() {
                func samples(_ points: [BenchPoint]) -> [Double] {
                    byRun
                        ? points.filter { $0.answered > 0 || !metric.isLatency }.map(metric.value)
                        : points.flatMap(\.windows).filter { $0.answered > 0 || !metric.isLatency }
                            .map(Self.windowMetrics[index])
                }
                rows.append(
                    Self.row(load, metric.name, samples(before), samples(after), moreIsBetter: !metric.isLatency))
            }
        }
        unmatched += other.order.filter { old.points[$0] == nil }
        warnings = Self.warnings(base, new)
    }

    private static func points(
        _ results: [BenchResult]
    ) -> (order: [LoadDescription], points: [LoadDescription: [BenchPoint]]) {
        var order: [LoadDescription] = []
        var points: [LoadDescription: [BenchPoint]] = [:]
        // Of one that ended in its warm-up nothing was measured.
        for point in results.flatMap(\.points) where !(point.isInterrupted && point.windows.isEmpty) {
            let load = point.load.comparable
            if points[load] == nil { order.append(load) }
            points[load, default: []].append(point)
        }
        return (order, points)
    }

    private static func row(
        _ load: LoadDescription, _ metric: String, _ base: [Double], _ new: [Double], moreIsBetter: Bool
    ) -> Row {
        let difference = MeanInterval(of: new, minus: base)
        let verdict: Verdict
        if let margin = difference.margin {
            if abs(difference.mean) <= margin {
                verdict = .noDifference
            } else {
                verdict = (difference.mean > 0) == moreIsBetter ? .better : .worse
            }
        } else {
            verdict = .unknown
        }
        return Row(
            load: load, metric: metric, base: MeanInterval(base), new: MeanInterval(new), difference: difference,
            verdict: verdict)
    }

    private static func warnings(_ base: [BenchResult], _ new: [BenchResult]) -> [String] {
        guard let old = base.first, let other = new.first else { return [] }
        var warnings: [String] = []
        func compare(_ name: String, _ before: String?, _ after: String?) {
            guard before != after else { return }
            warnings.append("\(name) differs: \(before ?? "none") and \(after ?? "none")")
        }
        compare("the pipeline", old.pipeline, other.pipeline)
        compare("the processor", old.environment.cpu, other.environment.cpu)
        compare("the number of cores", "\(old.environment.cores)", "\(other.environment.cores)")
        compare("the pinning", old.environment.affinity, other.environment.affinity)
        compare("the kernel", old.environment.kernel, other.environment.kernel)
        compare("the engine", old.engine, other.engine)
        compare("the size of the inputs", "\(old.inputBytes)", "\(other.inputBytes)")
        for option in Set(old.configuration.keys).union(other.configuration.keys).sorted() {
            compare("--\(option)", old.configuration[option], other.configuration[option])
        }
        for (side, results) in [("first", base), ("second", new)] {
            let unstable = results.flatMap(\.points).count { !$0.isStable }
            if unstable > 0 { warnings.append("of the \(side), \(unstable) measured while it was unstable") }
        }
        return warnings
    }
}
