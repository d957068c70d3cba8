import ArgumentParser
import Bench

/// How long is measured.
struct BenchTimingOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Not measured, before each point.", valueName: "seconds")) var warmup = 1.0
    @Option(help: ArgumentHelp("Of one window (default: 5, with --disturb 1).", valueName: "seconds"))
    var window: Double?
    @Option(help: ArgumentHelp("Measure for so long, whether windows agree or not.", valueName: "seconds"))
    var duration: Double?
    @Option(
        help: ArgumentHelp(
            "How far the last three windows may differ, with --duration all of them.", valueName: "percent"))
    var stability = 10.0
    @Option(
        help: ArgumentHelp(
            "Windows of a point, at most (default: \(Steadiness.Rules().maxTrials)). With --overload, of the one that finds the capacity.",
            valueName: "n"))
    var maxTrials: Int?
    @Option(
        help: ArgumentHelp(
            "Of the latency that has to agree and that a limit is about: 50, 90, 95, 99 or 99.9 (default: the mean).",
            valueName: "p"))
    var percentile: Double?

    /// Windows of a run that is disturbed: short, so that it shows when all is well again.
    private static let disturbedWindow = 1.0

    func timing(isDisturbed: Bool) throws(Fatal) -> BenchTiming {
        let most = BenchPlan.maxSeconds
        let window = window ?? (isDisturbed ? Self.disturbedWindow : 5)
        for (name, value) in [("window", window), ("duration", duration ?? 1)]
        where !(value >= BenchPlan.leastSeconds && value <= most) {
            throw Fatal("--\(name) \(value) is not between \(BenchPlan.leastSeconds) and \(most)", status: .usage)
        }
        if let duration, let window = self.window { try Self.check(duration, window) }
        guard warmup >= 0, warmup <= most else {
            throw Fatal("--warmup \(warmup) is not between 0 and \(most)", status: .usage)
        }
        guard stability > 0, stability <= 100 else {
            throw Fatal("--stability \(stability) is not above 0 and up to 100", status: .usage)
        }
        if maxTrials != nil, duration != nil {
            throw Fatal("--max-trials goes without --duration, which measures for so long", status: .usage)
        }
        let maxTrials = maxTrials ?? Steadiness.Rules().maxTrials
        guard (Steadiness.Rules().agreeing...BenchPlan.maxTrials).contains(maxTrials) else {
            throw Fatal(
                "--max-trials \(maxTrials) is not between \(Steadiness.Rules().agreeing) and \(BenchPlan.maxTrials)",
                status: .usage)
        }
        if let percentile, !LatencyFigures.percentiles.contains(percentile) {
            throw Fatal("--percentile \(percentile) is not 50, 90, 95, 99 or 99.9", status: .usage)
        }
        var timing = BenchTiming()
        timing.warmup = .seconds(warmup)
        timing.window = .seconds(window)
        timing.duration = duration.map { .seconds($0) }
        timing.rules.tolerance = stability / 100
        timing.rules.maxTrials = maxTrials
        timing.percentile = percentile
        return timing
    }

    /// Windows that are asked for are measured so long, or nearly: those of a duration are all of the same length.
    private static func check(_ duration: Double, _ window: Double) throws(Fatal) {
        // In whole steps, as decimals are not exact: three times 0.1 is more than 0.3.
        func steps(_ seconds: Double) -> Double { (seconds / BenchPlan.leastSeconds).rounded() }
        let windows = (least: BenchTiming.leastWindows, most: BenchPlan.maxTrials)
        guard steps(window * Double(windows.least)) <= steps(duration) else {
            throw Fatal(
                "--duration \(duration) is shorter than \(windows.least) windows of --window \(window), and it has no fewer",
                status: .usage)
        }
        guard steps(duration) <= steps(window * Double(windows.most)) else {
            throw Fatal(
                "--duration \(duration) is longer than \(windows.most) windows of --window \(window), and it has no more",
                status: .usage)
        }
    }

    var record: [String: String] {
        let options: [(String, String?)] = [
            ("warmup", "\(warmup)"), ("window", window.map { "\($0)" }), ("duration", duration.map { "\($0)" }),
            ("stability", "\(stability)"), ("max-trials", maxTrials.map { "\($0)" }),
            ("percentile", percentile.map { "\($0)" }),
        ]
        return Dictionary(uniqueKeysWithValues: options.compactMap { name, value in value.map { (name, $0) } })
    }
}
