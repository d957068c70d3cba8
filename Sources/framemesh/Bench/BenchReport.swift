import Results

/// What `bench` says at its end.
struct BenchReport: Sendable {
    /// `mesh` or `in-process`.
    var mode: String
    var coordinator: String?
    var pipeline: String
    var models: [String] = []
    /// What ran them; nil: the mesh's nodes say it (`framemesh nodes`).
    var engine: String?
    /// `unary`, `stream` or `threads`.
    var callers: String
    var concurrency: Int
    var perStream: Int?
    var inputs: Int
    var warmup: Duration
    var measured: Duration
    var wasStopped: Bool
    var machine = Machine.this
    var result: Measurement

    /// OpenCV's own threads in this process: each net runs on the thread that owns it.
    static let openCVThreads = 1

    var framesPerSecond: Double {
        let seconds = measured / .seconds(1)
        return seconds > 0 ? Double(result.answered) / seconds : 0
    }

    private static let percentiles: [(name: String, value: Double)] = [
        ("p50", 50), ("p90", 90), ("p99", 99), ("max", 100),
    ]

    var json: String {
        JSONText.object { json in
            json.field("mode", mode)
            if let coordinator { json.field("coordinator", coordinator) }
            json.field("pipeline", pipeline)
            if !models.isEmpty { json.array("models", models) { $0.value($1) } }
            if let engine { json.field("engine", engine) }
            json.field("callers", callers)
            json.field("concurrency", concurrency)
            if let perStream { json.field("frames_per_stream", perStream) }
            json.field("inputs", inputs)
            json.field("warmup_s", warmup / .seconds(1), decimals: 3)
            json.field("duration_s", measured / .seconds(1), decimals: 3)
            json.field("interrupted", wasStopped)
            json.field("frames_per_second", framesPerSecond, decimals: 2)
            json.object("latency_ms") { json in
                for (name, value) in Self.percentiles { json.field(name, result.milliseconds(at: value), decimals: 3) }
            }
            json.field("answered", result.answered)
            json.field("ok", result.ok)
            json.field("partial", result.partial)
            json.field("failed", result.failed)
            json.object("errors") { json in
                for (cause, count) in result.errors.sorted(by: { $0.key < $1.key }) { json.field(cause, count) }
            }
            json.field("detections", result.detections)
            json.field("retried", result.retried)
            if perStream != nil {
                json.field("resumptions", result.resumptions)
                json.field("frames_sent_again", result.sentAgain)
                json.field("last_epoch", result.lastEpoch)
            }
            json.object("stages_mean_ms") { json in
                for (name, stage) in result.stages { json.field(name, stage.meanMilliseconds, decimals: 3) }
            }
            json.object("machine") { json in
                json.field("cpu", machine.cpu)
                json.field("cores", machine.cores)
                json.field("opencv_threads", Self.openCVThreads)
            }
        }
    }

    var text: String {
        let seconds = JSONText.number(measured / .seconds(1), decimals: 1)
        let where_ =
            coordinator.map { "mesh at \($0)" }
            ?? "in-process (\((models + [engine].compactMap(\.self)).joined(separator: ", ")))"
        var lines = [
            "\(where_), pipeline \(pipeline), \(callersText), \(seconds) s"
                + (wasStopped ? " (interrupted)" : ""),
            "\(machine.cpu), \(Count.of(machine.cores, "core"))",
            "",
            "\(JSONText.number(framesPerSecond, decimals: 1)) frames/s  "
                + Self.percentiles.map {
                    "\($0.name) \(JSONText.number(result.milliseconds(at: $0.value), decimals: 1)) ms"
                }
                .joined(separator: "  "),
            "\(result.ok) ok, \(result.partial) partial, \(result.failed) failed, "
                + Count.of(result.detections, "detection"),
        ]
        for (cause, count) in result.errors.sorted(by: { $0.value > $1.value }) {
            lines.append("  \(count) × \(cause)")
        }
        if perStream != nil {
            lines.append(
                Count.of(result.resumptions, "resumption")
                    + (result.resumptions == 0
                        ? ""
                        : " after a lost coordinator, \(Count.of(result.sentAgain, "frame")) sent again, "
                            + "last epoch \(result.lastEpoch)"))
        }
        var table = Table("stage", "mean ms>")
        for (name, stage) in result.stages {
            table.add(name, JSONText.number(stage.meanMilliseconds, decimals: 2))
        }
        if !table.isEmpty { lines += [""] + table.lines }
        return lines.joined(separator: "\n")
    }

    private var callersText: String {
        switch callers {
        case "unary": Count.of(concurrency, "caller") + " with a connection each"
        case "stream":
            Count.of(concurrency, "stream") + " with a connection and \(Count.of(perStream ?? 1, "frame")) each"
        default: Count.of(concurrency, "thread") + ", each with its own nets"
        }
    }
}
