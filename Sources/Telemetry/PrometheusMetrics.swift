public import Metrics
import Synchronization

/// Keeps the metrics of a process, and writes them down as Prometheus reads them (text format 0.0.4).
///
///     let metrics = PrometheusMetrics()
///     MetricsSystem.bootstrap(metrics)
///     Counter(label: "http_requests_total", dimensions: [("status", "200")], factory: metrics).increment()
///     print(metrics.text)
///
/// Counters become counters, meters gauges, timers and recorders that aggregate histograms (timers in seconds), other
/// recorders gauges. A series is kept until the process ends; beyond `maxSeries` new ones are counted nowhere.
public final class PrometheusMetrics: MetricsFactory {
    public static let maxSeries = 10_000

    private let series = Mutex<[SeriesName: any Series]>([:])

    public init() {}

    /// All series, by name.
    public var text: String {
        let all = series.withLock { $0 }.sorted { $0.key < $1.key }
        var text = ""
        var last = ""
        for (name, series) in all {
            if name.metric != last {
                text += "# TYPE \(name.metric) \(series.kind)\n"
                last = name.metric
            }
            series.write(name, to: &text)
        }
        return text
    }

    /// The series of that name; another one, which nobody sees, where there are too many, or one of another kind.
    private func find<Kind: Series>(_ label: String, _ dimensions: [(String, String)], _ make: () -> Kind) -> Kind {
        let name = SeriesName(label, dimensions)
        return series.withLock { all in
            if let known = all[name] { return known as? Kind ?? make() }
            let new = make()
            if all.count < Self.maxSeries { all[name] = new }
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
        if aggregate { return find(label, dimensions) { Histogram(bounds: Histogram.sizes) } }
        return find(label, dimensions) { Gauge() }
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(label, dimensions) { Histogram(bounds: Histogram.seconds) }
    }

    // What was counted stays: a Prometheus counter that vanishes and comes back looks like one that was set back.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}
}
