import Metrics
import NIOCore
import Synchronization
import Telemetry
import Vision

/// What a node measures on the way of each frame. Its handles are made once, when the node starts.
struct NodeMetrics: Sendable {
    private let queue, decode: Metrics.Timer
    /// By the stage of a pipeline.
    private let passes: [String: Pass]
    let batchSize: Recorder

    /// The parts of a forward pass.
    private struct Pass: Sendable {
        let preprocess, infer, postprocess: Metrics.Timer
    }

    init(role: NodeRole, factory: any MetricsFactory) {
        func stage(_ name: String) -> Metrics.Timer {
            Timer(
                label: "framemesh_stage_seconds", dimensions: [("role", role.rawValue), ("stage", name)],
                factory: factory)
        }
        queue = stage("queue")
        decode = stage("decode")
        // Two models of different sizes in one series would be nobody's time.
        passes = Dictionary(
            uniqueKeysWithValues: role.tasks.map { task in
                let prefix = role.tasks.count > 1 ? "\(task.stage)." : ""
                return (
                    task.stage,
                    Pass(
                        preprocess: stage("\(prefix)preprocess"), infer: stage("\(prefix)infer"),
                        postprocess: stage("\(prefix)postprocess"))
                )
            })
        batchSize = Recorder(
            label: "framemesh_batch_size", dimensions: [("role", role.rawValue)], aggregate: true, factory: factory)
    }

    /// A frame has its answer. What a batch took counts for each of its frames: all of them waited for it.
    func record(_ served: WorkerPool<ModelRunner>.Served) {
        queue.recordNanoseconds(served.queued.nanoseconds)
        decode.recordNanoseconds(served.answer.decode.nanoseconds)
        for (stage, times) in served.answer.times {
            guard let pass = passes[stage] else { continue }
            pass.preprocess.recordMicroseconds(times.preprocess)
            pass.infer.recordMicroseconds(times.infer)
            pass.postprocess.recordMicroseconds(times.postprocess)
        }
    }
}

extension ModelManifest.Task {
    /// The stage of a pipeline that its models run.
    fileprivate var stage: String {
        switch self {
        case .detection: "detect"
        case .classification: "classify"
        }
    }
}

extension WorkerPool {
    /// Shows what the queue counts anyway: that costs nothing until somebody asks.
    func show(in metrics: PrometheusMetrics, role: NodeRole) {
        let role = [("role", role.rawValue)]
        metrics.observe("framemesh_workers", role) { [workers] in Double(workers) }
        metrics.observe("framemesh_queue_depth", role) { Double(self.withQueue { $0.depth }) }
        metrics.observe("framemesh_queue_limit", role) { Double(self.withQueue { $0.limit }) }
        metrics.observe("framemesh_frames_running", role) { Double(self.withQueue { $0.running }) }
        metrics.observe("framemesh_queue_delay_seconds", role) {
            self.withQueue { $0.estimatedWait }.seconds
        }
        metrics.observe("framemesh_worker_busy_seconds_total", role, as: .counter) { self.busyTime.seconds }
        let window = Mutex(BusyWindow(workers: workers, start: now()))
        metrics.observe("framemesh_busy_ratio", role) {
            let (busy, now) = (self.busyTime, self.now())
            return window.withLock { $0.ratio(busy, now: now) }
        }
        func count(_ name: String, _ label: String, _ value: String, _ number: @escaping @Sendable (Queue) -> UInt64) {
            metrics.observe(name, role + [(label, value)], as: .counter) { Double(self.withQueue { number($0) }) }
        }
        for (outcome, number) in WorkCounts.outcomes {
            count("framemesh_frames_total", "outcome", outcome) { number($0.counts) }
        }
        for (reason, number) in WorkCounts.reasons {
            count("framemesh_drops_total", "reason", reason) { number($0.counts) }
        }
    }
}

extension TimeAmount {
    fileprivate var seconds: Double { Double(nanoseconds) / 1e9 }
}
