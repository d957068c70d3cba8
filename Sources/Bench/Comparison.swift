/// What changed between two results, with how sure that is.
///
/// A number is better or worse if its change is no less than `leastChange`, and all of what is said to have changed has changed
/// with a confidence of 95 % (`HolmCorrection`, of Welch's t). Rounding decides nothing: samples vary at least as much as the
/// steps in which they are known.
///
/// A sample is a run, where both sides have several (results appended to one file), and of one that has a load more than once
/// (`--overload 2,1,2`) the mean of these points; else it is a window. Windows of one run share what the machine did in that
/// minute, so they are no independent samples, and by them alone two runs of the same program look different now and then. Such a
/// change has to exceed `stability` as well, within which one run calls windows the same.
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

        /// Of the base, as shares of it; nil: that is 0.
        package var change: Double? { base.mean == 0 ? nil : difference.mean / base.mean }
        package var margin: Double? { base.mean == 0 ? nil : difference.margin.map { $0 / base.mean } }
    }

    package private(set) var rows: [Row] = []
    /// How far the windows of one run may differ and count as the same: a share, the larger one of both sides.
    package let stability: Double
    /// Loads that only one of the two has.
    package private(set) var unmatched: [LoadDescription] = []
    /// Loads that both have, and that one of them at least was interrupted in before a window of it was whole.
    package private(set) var cutShort: [LoadDescription] = []
    /// What differs in the records of the machines and options: the numbers may be of different things.
    package private(set) var warnings: [String] = []

    /// What both a run and a window have.
    private struct Sample {
        var seconds: Double
        var answered: UInt64
        var failed: UInt64
        /// Of those that were answered; nil: an older program did not say of each window, and there were some.
        var partial: UInt64?
        var framesPerSecond: Double
        var latencyMs: LatencyFigures
        /// Processor seconds of 1,000 frames, by role.
        var processor: [String: Double] = [:]

        init(_ point: BenchPoint) {
            (seconds, answered, failed, partial) = (point.seconds, point.answered, point.failed, point.partial)
            (framesPerSecond, latencyMs) = (point.framesPerSecond, point.latencyMs)
            processor = point.processorByRole
        }

        init(_ window: WindowRecord, of point: BenchPoint) {
            (seconds, answered, failed) = (window.seconds, window.answered, window.failed)
            partial = window.partial ?? (point.partial == 0 ? 0 : nil)
            (framesPerSecond, latencyMs) = (window.framesPerSecond, window.latencyMs)
        }

        var frames: UInt64 { answered + failed }
    }

    private struct Metric: Sendable {
        enum Kind: Sendable, Equatable {
            case throughput
            /// Of answers: without one there is none.
            case latency
            /// In percent of all frames that came to an end.
            case failures
            /// Of a role. Only runs have it.
            case processor(String)
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
            case .processor: sample.answered > 0 ? ProcessUsage.tick * 1000 / Double(sample.answered) : 0
            }
        }

        func isKnown(of sample: Sample) -> Bool {
            switch kind {
            case .throughput: true
            case .latency: sample.answered > 0
            case .failures: sample.frames > 0 && sample.partial != nil
            case .processor(let role): sample.processor[role] != nil
            }
        }
    }

    private static let metrics = [
        Metric(name: "frames/s", kind: .throughput) { $0.framesPerSecond },
        Metric(name: "mean ms", kind: .latency) { $0.latencyMs.mean },
        Metric(name: "p50 ms", kind: .latency) { $0.latencyMs.p50 },
        Metric(name: "p99 ms", kind: .latency) { $0.latencyMs.p99 },
        // What fails at once, or leaves a stage out, makes all else look better.
        Metric(name: "failed or partial %", kind: .failures) {
            100 * Double($0.failed + ($0.partial ?? 0)) / Double($0.frames)
        },
    ]

    private static func processor(of role: String) -> Metric {
        Metric(name: "CPU s/1,000 frames of \(role)", kind: .processor(role)) { $0.processor[role] ?? 0 }
    }

    /// - Parameter leastChange: a share of the base.
    package init(_ base: [BenchResult], _ new: [BenchResult], leastChange: Double = Self.leastChange) {
        let (all, base, new) = (base + new, Self.ofOneMode(base), Self.ofOneMode(new))
        stability = Self.stability(of: base + new)
        let (old, other) = (Self.runs(base), Self.runs(new))
        for load in old.order {
            guard let after = other.runs[load] else {
                unmatched.append(load)
                continue
            }
            let before = old.runs[load] ?? []
            guard !before.isEmpty, !after.isEmpty else {
                cutShort.append(load)
                continue
            }
            let byRun = before.count > 1 && after.count > 1
            for metric in Self.metrics {
                let old = Self.samples(of: metric, before, areRuns: byRun)
                let other = Self.samples(of: metric, after, areRuns: byRun)
                // Of what never fails nothing is to be said, nor where one side does not tell: that is not 0.
                if metric.kind == .failures,
                    old.isEmpty || other.isEmpty || !(old + other).joined().contains(where: { metric.value($0) > 0 })
                {
                    continue
                }
                rows.append(Self.row(load, metric, old, other, areRuns: byRun))
            }
            for metric in Self.roles(of: before).intersection(Self.roles(of: after)).sorted().map(Self.processor(of:)) {
                let old = Self.samples(of: metric, before, areRuns: true)
                let other = Self.samples(of: metric, after, areRuns: true)
                rows.append(Self.row(load, metric, old, other, areRuns: true))
            }
        }
        judge(leastChange)
        unmatched += other.order.filter { old.runs[$0] == nil }
        warnings = Self.warnings(base, new)
        if base.count + new.count < all.count {
            let modes = Set((base + new).map(\.mode)).sorted().joined(separator: " and ")
            warnings.append("only results of the mode \(modes) are compared")
        }
    }

    /// Results of the last one's mode: of `--overhead`, those of the mesh, beside which the node is measured.
    private static func ofOneMode(_ results: [BenchResult]) -> [BenchResult] {
        results.filter { $0.mode == results.last?.mode }
    }

    private static func stability(of results: [BenchResult]) -> Double {
        let percent = results.compactMap { $0.configuration["stability"].flatMap(Double.init) }
        return percent.max().map { $0 / 100 } ?? Steadiness.Rules().tolerance
    }

    /// - Returns: of each load the runs, each with its points of it: one may have a load more than once, which makes it no second
    ///   run. Loads that only runs without a whole window had have no runs.
    private static func runs(
        _ results: [BenchResult]
    ) -> (order: [LoadDescription], runs: [LoadDescription: [[BenchPoint]]]) {
        var order: [LoadDescription] = []
        var runs: [LoadDescription: [[BenchPoint]]] = [:]
        for result in results {
            for load in result.points.map(\.load.comparable) where runs[load] == nil {
                order.append(load)
                runs[load] = []
            }
            for (load, points) in Dictionary(grouping: result.points, by: { $0.load.comparable }) {
                // A run that was ended in its first window may be a moment long: as a sample it would be worth as much as a
                // whole one.
                let whole = points.filter { !$0.wholeWindows.isEmpty }
                runs[load, default: []] += whole.isEmpty ? [] : [whole]
            }
        }
        return (order, runs)
    }

    /// - Returns: what each sample is the mean of; none of nothing.
    private static func samples(of metric: Metric, _ runs: [[BenchPoint]], areRuns: Bool) -> [[Sample]] {
        let all: [[Sample]] =
            areRuns
            ? runs.map { points in points.map { Sample($0) } }
            : runs.joined().flatMap { point in point.wholeWindows.map { [Sample($0, of: point)] } }
        return all.map { $0.filter(metric.isKnown) }.filter { !$0.isEmpty }
    }

    /// Whose processor seconds are known.
    private static func roles(of runs: [[BenchPoint]]) -> Set<String> {
        Set(runs.joined().flatMap(\.processorByRole.keys))
    }

    private static func row(
        _ load: LoadDescription, _ metric: Metric, _ base: [[Sample]], _ new: [[Sample]], areRuns: Bool
    ) -> Row {
        let resolution = (base + new).joined().map { metric.resolution($0) }.max() ?? 0
        func means(_ samples: [[Sample]]) -> [Double] {
            samples.map { parts in parts.map(metric.value).reduce(0, +) / Double(parts.count) }
        }
        let (old, other) = (means(base), means(new))
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
            let (difference, base) = (rows[index].difference.mean, abs(rows[index].base.mean))
            rows[index].probability = probability
            let isSure = probability < 1 - MeanInterval.confidence
            let matters =
                abs(difference) > 0 && abs(difference) >= leastChange * base
                && (rows[index].areRuns || abs(difference) > stability * base)
            rows[index].verdict =
                !isSure || !matters
                ? .noDifference : (difference > 0) == rows[index].moreIsBetter ? .better : .worse
        }
    }
}
