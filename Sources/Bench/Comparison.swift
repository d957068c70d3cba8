/// What changed between two results, with how sure that is.
///
/// A number is better or worse if its change is no less than `leastChange`, and all of what is said to have changed has changed
/// with a confidence of 95 % (`HolmCorrection`, of Welch's t). Rounding decides nothing: samples vary at least as much as the
/// steps in which they are known.
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

    /// Changes that are less do not matter, unless it is said otherwise: a share.
    package static let leastChange = 0.01

    /// One number of one load.
    package struct Row: Sendable {
        package var load: LoadDescription
        package var metric: String
        package var base: MeanInterval
        package var new: MeanInterval
        package var difference: MeanInterval
        /// How many there are of each, and of what.
        package var samples: (base: Int, new: Int)
        package var areRuns: Bool
        /// How likely one or more such changes would be found among all rows where nothing has changed; nil: unknown.
        package var probability: Double?
        package var verdict: Verdict
        fileprivate var moreIsBetter: Bool

        /// Of the base, as shares of it.
        package var change: Double { base.mean == 0 ? 0 : difference.mean / base.mean }
        package var margin: Double? { base.mean == 0 ? nil : difference.margin.map { $0 / base.mean } }
    }

    package private(set) var rows: [Row] = []
    /// Loads that only one of the two has.
    package private(set) var unmatched: [LoadDescription] = []
    /// What differs in the records of the machines and options: the numbers may be of different things.
    package private(set) var warnings: [String] = []

    /// What both a run and a window have.
    private struct Sample {
        var seconds: Double
        var answered: UInt64
        var failed: UInt64
        var framesPerSecond: Double
        var latencyMs: LatencyFigures

        init(_ point: BenchPoint) {
            (seconds, answered, failed) = (point.seconds, point.answered, point.failed)
            (framesPerSecond, latencyMs) = (point.framesPerSecond, point.latencyMs)
        }

        init(_ window: WindowRecord) {
            (seconds, answered, failed) = (window.seconds, window.answered, window.failed)
            (framesPerSecond, latencyMs) = (window.framesPerSecond, window.latencyMs)
        }

        var frames: UInt64 { answered + failed }
    }

    private struct Metric: Sendable {
        enum Kind: Sendable {
            case throughput
            /// Of answers: without one there is none.
            case latency
            /// In percent of all frames that came to an end.
            case failures
        }

        var name: String
        var kind: Kind
        var value: @Sendable (Sample) -> Double

        /// In which the value of a sample is known: a frame; a bucket of the histogram.
        func resolution(_ sample: Sample) -> Double {
            switch kind {
            case .throughput: sample.seconds > 0 ? 1 / sample.seconds : 0
            case .latency: value(sample) * LatencyHistogram.resolution
            case .failures: sample.frames > 0 ? 100 / Double(sample.frames) : 0
            }
        }

        func isKnown(of sample: Sample) -> Bool {
            switch kind {
            case .throughput: true
            case .latency: sample.answered > 0
            case .failures: sample.frames > 0
            }
        }
    }

    private static let metrics = [
        Metric(name: "frames/s", kind: .throughput) { $0.framesPerSecond },
        Metric(name: "mean ms", kind: .latency) { $0.latencyMs.mean },
        Metric(name: "p50 ms", kind: .latency) { $0.latencyMs.p50 },
        Metric(name: "p99 ms", kind: .latency) { $0.latencyMs.p99 },
        // What fails at once makes all else look better.
        Metric(name: "failed %", kind: .failures) { 100 * Double($0.failed) / Double($0.frames) },
    ]

    /// - Parameter leastChange: a share of the base.
    package init(_ base: [BenchResult], _ new: [BenchResult], leastChange: Double = Self.leastChange) {
        let (old, other) = (Self.points(base), Self.points(new))
        for load in old.order {
            guard let before = old.points[load], let after = other.points[load] else {
                unmatched.append(load)
                continue
            }
            let byRun = before.count > 1 && after.count > 1
            for metric in Self.metrics {
                func samples(_ points: [BenchPoint]) -> [Sample] {
                    (byRun ? points.map { Sample($0) } : points.flatMap(Self.windows).map { Sample($0) })
                        .filter(metric.isKnown)
                }
                let (old, other) = (samples(before), samples(after))
                // Of what never fails nothing is to be said.
                if metric.kind == .failures, !(old + other).contains(where: { $0.failed > 0 }) { continue }
                rows.append(Self.row(load, metric, old, other, areRuns: byRun))
            }
        }
        judge(leastChange)
        unmatched += other.order.filter { old.points[$0] == nil }
        warnings = Self.warnings(base, new)
    }

    /// Those that were not cut short: the last one of a run that was interrupted may be a moment long.
    private static func windows(_ point: BenchPoint) -> [WindowRecord] {
        point.isInterrupted ? point.windows.dropLast() : point.windows
    }

    private static func points(
        _ results: [BenchResult]
    ) -> (order: [LoadDescription], points: [LoadDescription: [BenchPoint]]) {
        var order: [LoadDescription] = []
        var points: [LoadDescription: [BenchPoint]] = [:]
        for point in results.flatMap(\.points) where !point.isEmpty {
            let load = point.load.comparable
            if points[load] == nil { order.append(load) }
            points[load, default: []].append(point)
        }
        return (order, points)
    }

    private static func row(
        _ load: LoadDescription, _ metric: Metric, _ base: [Sample], _ new: [Sample], areRuns: Bool
    ) -> Row {
        let resolution = (base + new).map { metric.resolution($0) }.max() ?? 0
        let (old, other) = (base.map(metric.value), new.map(metric.value))
        return Row(
            load: load, metric: metric.name, base: MeanInterval(old, resolution: resolution),
            new: MeanInterval(other, resolution: resolution),
            difference: MeanInterval(of: other, minus: old, resolution: resolution),
            samples: (base.count, new.count), areRuns: areRuns, verdict: .unknown,
            moreIsBetter: metric.kind == .throughput)
    }

    /// Once all rows are known.
    private mutating func judge(_ leastChange: Double) {
        let known = rows.indices.filter { rows[$0].difference.probability != nil }
        let adjusted = HolmCorrection.adjusted(known.compactMap { rows[$0].difference.probability })
        for (index, probability) in zip(known, adjusted) {
            let difference = rows[index].difference.mean
            rows[index].probability = probability
            let isSure = probability < 1 - MeanInterval.confidence
            let matters = abs(difference) > 0 && abs(difference) >= leastChange * abs(rows[index].base.mean)
            rows[index].verdict =
                !isSure || !matters
                ? .noDifference : (difference > 0) == rows[index].moreIsBetter ? .better : .worse
        }
    }

    private static func warnings(_ base: [BenchResult], _ new: [BenchResult]) -> [String] {
        var warnings: [String] = []
        /// Each side may hold several: then they are not runs of the same.
        func compare(_ name: String, _ value: (BenchResult) -> String?) {
            let (before, after) = (Set(base.map { value($0) ?? "none" }), Set(new.map { value($0) ?? "none" }))
            for (side, values) in [("first", before), ("second", after)] where values.count > 1 {
                warnings.append("\(name) differs within the \(side): \(values.sorted().joined(separator: ", "))")
            }
            if before.count == 1, after.count == 1, before != after {
                warnings.append("\(name) differs: \(before.joined()) and \(after.joined())")
            }
        }
        compare("what was asked") { $0.mode }
        compare("the pipeline") { $0.pipeline }
        compare("the processor") { $0.environment.cpu }
        compare("the number of cores") { "\($0.environment.cores)" }
        compare("the pinning") { $0.environment.affinity }
        compare("the kernel") { $0.environment.kernel }
        compare("the engine") { $0.engine }
        compare("the models") { $0.models.isEmpty ? nil : $0.models.joined(separator: " and ") }
        compare("the libraries") { $0.environment.libraries.map { $0.joined(separator: ", ") } }
        compare("the number of inputs") { "\($0.inputs)" }
        compare("the size of the inputs") { "\($0.inputBytes)" }
        for option in Set((base + new).flatMap(\.configuration.keys)).sorted() {
            compare("--\(option)") { $0.configuration[option] }
        }
        for (side, results) in [("first", base), ("second", new)] {
            let unstable = results.flatMap(\.points).count { !$0.isStable }
            if unstable > 0 {
                warnings.append("of the \(side), \(unstable) point\(unstable == 1 ? " was" : "s were") unstable")
            }
        }
        return warnings
    }
}
