public import Metrics
import Synchronization

/// Keeps the metrics of a process, and writes them down as Prometheus reads them (text format 0.0.4).
///
///     let metrics = PrometheusMetrics()
///     MetricsSystem.bootstrap(metrics)
///     Counter(label: "http_requests_total", dimensions: [("status", "200")], factory: metrics).increment()
///     metrics.observe("framemesh_queue_depth", [("role", "detector")]) { Double(queue.depth) }
///     print(metrics.text)
///
/// Counters become counters, meters gauges, timers and recorders that aggregate histograms (timers in seconds), other
/// recorders gauges. Whoever counts often makes a handle once and keeps it: making one takes a lock, using it does not.
/// A series is kept until the process ends. One beyond `limits` is counted nowhere but in
/// `framemesh_metrics_overflow_total`.
public final class PrometheusMetrics: MetricsFactory {
    private struct State {
        var series: [SeriesName: any Series] = [:]
        /// Of each metric.
        var counts: [String: Int] = [:]
    }

    private let state = Mutex(State())
    private let limits: MetricsLimits
    private let overflow = Count()

    public init(limits: MetricsLimits = .init()) {
        self.limits = limits
        let name = SeriesName(MetricCatalogue.overflow, [])
        state.withLock { $0.series[name] = overflow }
    }

    /// All series, by name.
    public var text: String {
        let all = state.withLock { $0.series }.sorted { $0.key < $1.key }
        var text = ""
        var last = ""
        for (name, series) in all {
            if name.metric != last {
                if let help = MetricCatalogue.entries[name.metric]?.help {
                    text += "# HELP \(name.metric) \(help)\n"
                }
                text += "# TYPE \(name.metric) \(series.kind.rawValue)\n"
                last = name.metric
            }
            series.write(name, to: &text)
        }
        return text
    }

    /// A number that is not kept here but read for each `text`.
    /// - Parameter read: is called on any thread, and must not block. What is read already stays.
    public func observe(
        _ label: String, _ dimensions: [(String, String)] = [], as kind: MetricKind = .gauge,
        _ read: @escaping @Sendable () -> Double
    ) {
        _ = find(label, dimensions) { Observed(kind, read) }
    }

    /// The series of that name; another one, which nobody sees, where there are too many, or one of another kind.
    private func find<Kind: Series>(_ label: String, _ dimensions: [(String, String)], _ make: () -> Kind) -> Kind {
        let name = SeriesName(label, dimensions)
        return state.withLock { state in
            if let known = state.series[name] { return known as? Kind ?? make() }
            let new = make()
            let count = state.counts[name.metric] ?? 0
            guard count < limits.maxSeriesOfMetric, state.series.count <= limits.maxSeries else {
                overflow.increment(by: 1)
                return new
            }
            state.counts[name.metric] = count + 1
            state.series[name] = new
            return new
        }
    }

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        find(label, dimensions) { Count() }
    }

    public func makeFloatingPointCounter(label: String, dimensions: [(String, String)])
        -> any FloatingPointCounterHandler
    {
        find(label, dimensions) { Sum() }
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        find(label, dimensions) { Gauge() }
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else { return find(label, dimensions) { Gauge() } }
        return find(label, dimensions) {
            Histogram(bounds: MetricCatalogue.entries[label]?.bounds ?? Histogram.sizes)
        }
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(label, dimensions) { Histogram(bounds: MetricCatalogue.entries[label]?.bounds ?? Histogram.seconds) }
    }

    // What was counted stays: a Prometheus counter that vanishes and comes back looks like one that was set back.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}
}

/// How many series a process shows. Labels are ours, so that these are never reached; a mistake of ours must not fill
/// the memory of the process and of its Prometheus.
public struct MetricsLimits: Sendable {
    public var maxSeries = 10_000
    public var maxSeriesOfMetric = 2_000

    public init() {}
}
