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

    /// The time begins once every thread has loaded its nets.
    /// - Returns: the window is nil if it never began.
    func run(
        threads: Int, warmup: Duration, duration: Duration
    ) async throws -> (result: Measurement, window: BenchWindow?) {
        let pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
        let line = StartLine(runners: threads) { BenchWindow(warmup: warmup, duration: duration) }
        do {
            let measured = try await withTaskCancellationHandler {
                try await withThrowingTaskGroup(of: Measurement.self) { tasks in
                    for index in 0..<threads {
                        let first = UInt64(index * inputs.count / threads)
                        tasks.addTask { try await pool.runIfActive { try work(line, first) } }
                    }
                    return try await tasks.reduce(into: Measurement()) { $0.add($1) }
                }
            } onCancel: {
                line.stop()
            }
            try await pool.shutdownGracefully()
            return (measured, line.opened)
        } catch {
            line.stop()
            try await pool.shutdownGracefully()
            throw error
        }
    }

    /// One thread's run.
    private func work(_ line: StartLine, _ first: UInt64) throws -> Measurement {
        let runner: InProcessRunner
        do {
            runner = try InProcessRunner(self)
        } catch {
            line.stop()
            throw error
        }
        var measured = Measurement()
        guard let window = line.wait() else { return measured }
        var sequence = first
        while !window.isOver() {
            let start = ContinuousClock.now
            do {
                let response = try runner.analyze(inputs.frame(sequence))
                let end = ContinuousClock.now
                if window.contains(end) { measured.record(response, took: end - start) }
            } catch {
                if window.contains(.now) { measured.fail(error.message) }
            }
            sequence += 1
        }
        return measured
    }
}
