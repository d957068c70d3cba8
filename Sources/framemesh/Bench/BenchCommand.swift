import ArgumentParser
import Client
import Mesh
import Messages
import Vision

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure a mesh, or the same work without one.",
        discussion: """
            A closed loop: each caller sends its next frame when the last one was answered. Each has a connection of its \
            own. Frames per second and latencies are those of frames answered after the warm-up. Ctrl-C ends the run \
            and prints what was measured.

            Examples:
              framemesh bench --pipeline detect --concurrency 8 --input dog.jpg
              framemesh bench --coordinator 10.0.0.5:8500 --pipeline track \\
                --stream --concurrency 4 --duration 30 --input frames/*.jpg
              framemesh bench --in-process --pipeline detect+classify --concurrency 2 \\
                --input frames --json
              framemesh bench --in-process --pipeline detect \\
                --detect-model yolo-fastest-1.1 --input dog.jpg

            Exit code 0 only if no frame failed.
            """)

    @OptionGroup var coordinator: CoordinatorOption
    @OptionGroup var analyze: AnalyzeArguments

    @Flag(help: "No mesh: threads with nets of their own do the same work.") var inProcess = false
    @Option(help: ArgumentHelp("With --in-process (default: \(BundledModel.detector)).", valueName: "name"))
    var detectModel: String?
    @Option(help: ArgumentHelp("With --in-process (default: \(BundledModel.classifier)).", valueName: "name"))
    var classifyModel: String?
    @OptionGroup var engine: EngineOption

    @Option(help: "Callers, streams, or threads.") var concurrency = 1
    @Option(help: ArgumentHelp("Time to measure.", valueName: "seconds")) var duration = 10.0
    @Option(help: ArgumentHelp("Time before that.", valueName: "seconds")) var warmup = 1.0
    @Flag(help: "Streams in place of unary calls.") var stream = false
    @Option(help: "Frames that each stream has on its way.") var perStream = 1

    @Option(
        name: .customLong("input"), parsing: .upToNextOption,
        help: ArgumentHelp("Pictures or directories, taken in turn.", valueName: "files"))
    var inputs: [String]

    @Flag(help: "One JSON object.") var json = false

    static let maxConcurrency = 512
    static let maxPerStream = 1024
    static let maxSeconds = 86_400.0

    func validate() throws {
        if inputs.isEmpty { throw ValidationError("name at least one --input") }
        guard (1...Self.maxConcurrency).contains(concurrency) else {
            throw ValidationError("--concurrency \(concurrency) is not between 1 and \(Self.maxConcurrency)")
        }
        guard duration > 0, duration <= Self.maxSeconds else {
            throw ValidationError("--duration \(duration) is not above 0 and up to \(Self.maxSeconds)")
        }
        guard warmup >= 0, warmup <= Self.maxSeconds else {
            throw ValidationError("--warmup \(warmup) is not between 0 and \(Self.maxSeconds)")
        }
        guard (1...Self.maxPerStream).contains(perStream) else {
            throw ValidationError("--per-stream \(perStream) is not between 1 and \(Self.maxPerStream)")
        }
        if inProcess, coordinator.coordinator != nil {
            throw ValidationError("--in-process and --coordinator exclude each other")
        }
        if inProcess, stream { throw ValidationError("--in-process has no streams") }
        if !inProcess, detectModel != nil || classifyModel != nil || engine.engine != nil {
            throw ValidationError(
                "--detect-model, --classify-model and --engine are for --in-process; a mesh has its own")
        }
    }

    func run() async throws {
        let sources = try PictureSource.discover(inputs)
        let options = try analyze.options()
        try await Interrupts.run {
            let inputs = try await BenchInputs(reading: sources)
            let report =
                inProcess ? try await measureInProcess(inputs, options) : try await measureMesh(inputs, options)
            try Console().print(json ? report.json : report.text)
            if report.wasStopped { throw CancellationError() }
            guard report.result.failed == 0 else { throw Fatal(nil) }
        }
    }

    private func report(
        _ result: Measurement, _ window: BenchWindow?, pipeline: String, inputs: Int, mode: String, callers: String
    ) -> BenchReport {
        BenchReport(
            mode: mode, pipeline: pipeline, callers: callers, concurrency: concurrency, inputs: inputs,
            warmup: .seconds(warmup), measured: window?.length ?? .zero, wasStopped: window?.wasStopped ?? true,
            result: result)
    }

    private func measureMesh(_ inputs: BenchInputs, _ options: AnalyzeOptions) async throws -> BenchReport {
        let (target, calling) = try await coordinator.place()
        let clients = try await MeshBench.connect(concurrency, to: target, calling)
        defer { for client in clients { client.close() } }
        let pipeline = try clients[0].pipeline(named: options.pipeline)
        let streams = stream || pipeline.needsStream
        let window = BenchWindow(warmup: .seconds(warmup), duration: .seconds(duration))
        let bench = MeshBench(
            options: options, inputs: inputs, window: window, perStream: streams ? perStream : nil)
        let result = try await bench.run(clients)
        var report = report(
            result, window, pipeline: options.pipeline, inputs: inputs.count, mode: "mesh",
            callers: streams ? "stream" : "unary")
        report.coordinator = target.hostPorts
        report.perStream = bench.perStream
        return report
    }

    private func measureInProcess(_ inputs: BenchInputs, _ options: AnalyzeOptions) async throws -> BenchReport {
        let bench = try InProcessBench(
            pipeline: options.pipeline, store: try Resources.store(), detectModel: detectModel,
            classifyModel: classifyModel, engine: engine.chosen(), options: options, inputs: inputs)
        let (result, window) = try await bench.run(
            threads: concurrency, warmup: .seconds(warmup), duration: .seconds(duration))
        var report = report(
            result, window, pipeline: options.pipeline, inputs: inputs.count, mode: "in-process", callers: "threads")
        report.models = [bench.detectModel, bench.classifyModel].compactMap { $0?.name }
        report.engine = bench.engine.rawValue
        return report
    }
}
