import Bench
import Coordination
import Foundation
import Messages
import NIOPosix
import Vision

/// The same work without a mesh: threads that each own their nets decode a picture once, and run the stages on it.
struct InProcessBench: Sendable {
    let pipeline: Pipeline
    let store: ModelStore
    let detectModel: ModelManifest?
    let classifyModel: ModelManifest?
    let engine: Engine
    let options: AnalyzeOptions
    let inputs: BenchInputs

    /// - Throws: `Fatal` for a pipeline that tracks, or a model that is not for its stage.
    init(
        pipeline name: String, store: ModelStore, detectModel: String?, classifyModel: String?,
        engine: Engine, options: AnalyzeOptions, inputs: BenchInputs
    ) throws {
        let known = Pipeline.builtIn.filter { !$0.tracks }
        guard let pipeline = known.first(where: { $0.name == name }) else {
            throw Fatal(
                "--in-process can't run the pipeline '\(name)'; it knows \(known.map(\.name).joined(separator: ", "))",
                status: .usage)
        }
        let unused = [
            ("--detect-model", detectModel != nil && !pipeline.detects),
            ("--classify-model", classifyModel != nil && pipeline.classify == nil),
        ]
        if let option = unused.first(where: \.1)?.0 {
            throw Fatal("the pipeline \(name) has no stage for \(option)", status: .usage)
        }
        self.pipeline = pipeline
        self.store = store
        self.detectModel = try Self.model(
            detectModel ?? BundledModel.detector, .detection, pipeline.detects, "--detect-model", store)
        self.classifyModel = try Self.model(
            classifyModel ?? BundledModel.classifier, .classification, pipeline.classify != nil, "--classify-model",
            store)
        self.engine = engine
        self.options = options
        self.inputs = inputs
    }

    private static func model(
        _ name: String, _ task: ModelManifest.Task, _ isNeeded: Bool, _ option: String, _ store: ModelStore
    ) throws -> ModelManifest? {
        guard isNeeded else { return nil }
        let manifest = try store.manifest(named: name)
        guard manifest.task == task else {
            throw Fatal("\(option) \(name) is a model for \(manifest.task.rawValue)", status: .usage)
        }
        return manifest
    }

    /// A closed loop of so many threads; the time begins once every one has loaded its nets.
    func load(threads: Int) -> some BenchLoad { ThreadLoad(bench: self, threads: threads) }
}

private struct ThreadLoad: BenchLoad {
    let bench: InProcessBench
    let threads: Int

    var description: LoadDescription { LoadDescription(.concurrency, callers: threads) }

    func run(_ recorder: Recorder, until stop: StopSign) async throws {
        let pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
        let line = StartLine(runners: threads) { recorder.begin() }
        do {
            try await withTaskCancellationHandler {
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for index in 0..<threads {
                        let first = UInt64(index * bench.inputs.count / threads)
                        tasks.addTask { try await pool.runIfActive { try work(line, first, recorder, stop) } }
                    }
                    try await tasks.waitForAll()
                }
            } onCancel: {
                line.stop()
                stop.raise()
            }
            try await pool.shutdownGracefully()
        } catch {
            line.stop()
            stop.raise()
            try await pool.shutdownGracefully()
            throw error
        }
    }

    /// One thread's run.
    private func work(_ line: StartLine, _ first: UInt64, _ recorder: Recorder, _ stop: StopSign) throws {
        let runner: InProcessRunner
        do {
            runner = try InProcessRunner(bench)
        } catch {
            line.stop()
            throw error
        }
        guard line.wait() else { return }
        var sequence = first
        while !stop.isUp {
            let start = ContinuousClock.now
            let ticket = recorder.sent(planned: start)
            var outcome: FrameOutcome
            do {
                outcome = FrameOutcome(try runner.analyze(bench.inputs.frame(sequence)))
            } catch {
                outcome = FrameOutcome(.failed(cause: RunSummary.kind(of: error.message)), latency: .zero)
            }
            outcome.latency = .now - start
            recorder.ended(ticket, outcome)
            sequence += 1
        }
    }
}
