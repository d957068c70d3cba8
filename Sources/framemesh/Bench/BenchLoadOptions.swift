import ArgumentParser
import Bench
import Messages

extension Arrivals: ExpressibleByArgument {}

/// What is sent, and when.
struct BenchLoadOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Frames at once: callers, streams or threads (default: 1, with --overload \(BenchPlan.capacityConcurrency), with --latency-limit all up to \(BenchPlan.mostSearched)).",
            valueName: "n"))
    var concurrency: String?

    @Option(
        help: ArgumentHelp("Look for the most at once that are answered within this, on average.", valueName: "ms"))
    var latencyLimit: Double?

    @Option(help: ArgumentHelp("Frames a second, whether they are answered or not.", valueName: "n"))
    var rate: String?
    @Option(help: "How frames of --rate and --overload are spread (default: constant).") var arrivals: Arrivals?
    @Option(help: ArgumentHelp("Of --arrivals poisson (default: \(BenchPlan.seed)).", valueName: "n"))
    var seed: UInt64?
    @Option(
        help: ArgumentHelp(
            "Of --rate and --overload (default: \(BenchPlan.connections)).", valueName: "n"))
    var connections: Int?

    @Flag(help: "Streams in place of unary calls.") var stream = false
    @Option(help: ArgumentHelp("With --stream: frames of each that are on their way.", valueName: "n"))
    var perStream = 1

    @Option(help: ArgumentHelp("Cameras, each a stream.", valueName: "n")) var streams: String?
    @Option(help: ArgumentHelp("Frames a second of each camera (default: 25).", valueName: "n")) var fps: Double?
    @Option(help: "What cameras do when frames come faster than answers (default: latest).") var policy: StreamPolicy?

    @Option(
        help: ArgumentHelp(
            "Find the capacity, then send so many times as much, such as 0.5,1,2,5,10, each for \(BenchTiming.leastWindows) windows or --duration.",
            valueName: "n,…"))
    var overload: String?

    @Option(
        help: ArgumentHelp(
            "Do this to a process of --up or of this machine, or in a shell, meanwhile: \(Disturbance.form). Needs --duration. roll and scale last, so they go with a load of one point.",
            valueName: "what"))
    var disturb: [String] = []

    static let defaultFPS = 25.0

    var framePolicy: StreamPolicy { policy ?? (streams == nil ? .lossless : .latest) }

    func load() throws -> BenchPlan.Load {
        try checkKinds()
        if let latencyLimit, !(latencyLimit > 0 && latencyLimit <= BenchPlan.maxSeconds * 1000) {
            throw Fatal(
                "--latency-limit \(latencyLimit) is not above 0 and up to \(BenchPlan.maxSeconds * 1000)",
                status: .usage)
        }
        let connections = try whole("connections", connections ?? BenchPlan.connections, BenchPlan.maxConcurrency)
        if let overload {
            let factors = try Self.factors(overload)
            let callers = try concurrency.map { try Self.sweep("concurrency", $0, in: 1...BenchPlan.maxConcurrency) }
            let cameras = try streams.map { try Self.sweep("streams", $0, in: 1...BenchPlan.maxConcurrency) }
            guard callers?.isOnePoint ?? true, cameras?.isOnePoint ?? true else {
                throw Fatal("with --overload, --concurrency and --streams are one number each", status: .usage)
            }
            return .overload(
                factors, arrivals ?? .constant, connections: connections,
                concurrency: callers?.start ?? BenchPlan.capacityConcurrency, cameras: cameras?.start)
        }
        if let rate {
            return .rates(
                try Self.sweep("rate", rate, in: ArrivalSchedule.rates), arrivals ?? .constant,
                connections: connections)
        }
        if let streams {
            let fps = fps ?? Self.defaultFPS
            guard BenchPlan.fps.contains(fps) else {
                throw Fatal("--fps \(fps) is not between 0.001 and 1000", status: .usage)
            }
            return .cameras(try Self.sweep("streams", streams, in: 1...BenchPlan.maxConcurrency), fps: fps)
        }
        let usual = latencyLimit == nil ? "1" : "1:\(BenchPlan.mostSearched)"
        let sweep = try Self.sweep("concurrency", concurrency ?? usual, in: 1...BenchPlan.maxConcurrency)
        if stream { return .streams(sweep, perStream: try whole("per-stream", perStream, BenchPlan.maxPerStream)) }
        return latencyLimit != nil && !sweep.isOnePoint ? .search(sweep) : .concurrency(sweep)
    }

    /// An open loop of unary calls.
    private var isOpen: Bool { rate != nil || overload != nil && streams == nil }

    /// Loads exclude each other, and options belong to one.
    private func checkKinds() throws(Fatal) {
        let kinds = [("--rate", rate != nil), ("--overload", overload != nil), ("--stream", stream)].filter(\.1)
        guard kinds.count < 2 else {
            throw Fatal("\(kinds.map(\.0).joined(separator: " and ")) exclude each other", status: .usage)
        }
        let needs: [(String, Bool, String, Bool)] = [
            ("--concurrency", concurrency != nil && rate != nil, "no --rate", false),
            ("--concurrency", concurrency != nil && streams != nil && overload == nil, "no --streams", false),
            ("--streams", streams != nil && (rate != nil || stream), "no --rate or --stream", false),
            (
                "--latency-limit", latencyLimit != nil && (rate != nil || streams != nil || stream || overload != nil),
                "callers: --concurrency", false
            ),
            ("--arrivals", arrivals != nil, "--rate or --overload, without --streams", isOpen),
            ("--connections", connections != nil, "--rate or --overload, without --streams", isOpen),
            ("--seed", seed != nil, "--arrivals poisson", arrivals == .poisson),
            ("--per-stream", perStream != 1, "--stream", stream),
            ("--fps", fps != nil, "--streams", streams != nil && overload == nil),
            ("--policy", policy != nil, "--streams", streams != nil),
        ]
        if let wrong = needs.first(where: { $0.1 && !$0.3 }) {
            throw Fatal("\(wrong.0) goes with \(wrong.2)", status: .usage)
        }
    }

    private func whole(_ name: String, _ value: Int, _ most: Int) throws(Fatal) -> Int {
        guard (1...most).contains(value) else {
            throw Fatal("--\(name) \(value) is not between 1 and \(most)", status: .usage)
        }
        return value
    }

    private static func sweep<Number: SweepNumber>(
        _ name: String, _ text: String, in range: ClosedRange<Number>
    ) throws(Fatal) -> Sweep<Number> {
        do {
            return try Sweep(parsing: text, in: range)
        } catch {
            throw Fatal("--\(name): \(error.message)", status: .usage)
        }
    }

    private static func factors(_ text: String) throws(Fatal) -> [Double] {
        let factors = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) ?? 0 }
        guard factors.count <= BenchPlan.maxFactors, factors.allSatisfy({ BenchPlan.factors.contains($0) }) else {
            throw Fatal(
                "--overload '\(text)' is not up to \(BenchPlan.maxFactors) numbers from \(BenchPlan.factors.lowerBound) to \(BenchPlan.factors.upperBound)",
                status: .usage)
        }
        return factors
    }

    func disturbances() throws(Fatal) -> [Disturbance] {
        guard disturb.count <= Disturbance.maxCount else {
            throw Fatal("more than \(Disturbance.maxCount) --disturb", status: .usage)
        }
        var found: [Disturbance] = []
        for text in disturb { found.append(try Disturbance(parsing: text)) }
        return found
    }

    var record: [String: String] {
        let options: [(String, String?)] = [
            ("concurrency", concurrency), ("latency-limit", latencyLimit.map { "\($0)" }), ("rate", rate),
            ("arrivals", arrivals?.rawValue), ("seed", seed.map { "\($0)" }),
            ("connections", connections.map(String.init)),
            ("per-stream", stream ? "\(perStream)" : nil), ("streams", streams), ("fps", fps.map { "\($0)" }),
            ("policy", policy.map { "\($0)" }), ("overload", overload),
            ("disturb", disturb.isEmpty ? nil : disturb.joined(separator: " ")),
        ]
        return Dictionary(uniqueKeysWithValues: options.compactMap { name, value in value.map { (name, $0) } })
    }
}
