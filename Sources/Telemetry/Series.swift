import Metrics
import Synchronization

/// One metric with one set of labels. What changes its value takes no lock.
protocol Series: AnyObject, Sendable {
    var kind: MetricKind { get }
    func write(_ name: SeriesName, to text: inout String)
}

/// As Prometheus calls it.
public enum MetricKind: String, Sendable {
    case counter, gauge, histogram
}

final class Count: Series, CounterHandler {
    private let value = Atomic<Int64>(0)

    let kind = MetricKind.counter

    func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { value.store(0, ordering: .relaxed) }

    func write(_ name: SeriesName, to text: inout String) { text += name.line("\(value.load(ordering: .relaxed))") }
}

final class Sum: Series, FloatingPointCounterHandler {
    private let sum = AtomicDouble()

    let kind = MetricKind.counter

    func increment(by amount: Double) { sum.add(amount) }
    func reset() { sum.set(0) }

    func write(_ name: SeriesName, to text: inout String) { text += name.line("\(sum.value)") }
}

final class Gauge: Series, MeterHandler, RecorderHandler {
    private let number = AtomicDouble()

    let kind = MetricKind.gauge

    func set(_ value: Int64) { number.set(Double(value)) }
    func set(_ value: Double) { number.set(value) }
    func increment(by amount: Double) { number.add(amount) }
    func decrement(by amount: Double) { number.add(-amount) }
    func record(_ value: Int64) { number.set(Double(value)) }
    func record(_ value: Double) { number.set(value) }

    func write(_ name: SeriesName, to text: inout String) { text += name.line("\(number.value)") }
}

final class Histogram: Series, TimerHandler, RecorderHandler {
    /// A tenth of a millisecond is what a small model's pre-processing takes; beyond half a minute nobody waits.
    static let seconds = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]
    static let sizes = [1.0, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 16_777_216]

    private let bounds: [Double]
    /// Of each bound what is not above it and above the one before; the last is what is above all.
    private let counts: [Tally]
    private let sum = AtomicDouble()

    let kind = MetricKind.histogram

    private final class Tally: Sendable {
        let count = Atomic<UInt64>(0)
    }

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = (0...bounds.count).map { _ in Tally() }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        var place = 0
        while place < bounds.count, value > bounds[place] { place += 1 }
        counts[place].count.wrappingAdd(1, ordering: .relaxed)
        sum.add(value)
    }

    func write(_ name: SeriesName, to text: inout String) {
        var count: UInt64 = 0
        for (bound, own) in zip(bounds.map { "\($0)" } + ["+Inf"], counts) {
            count += own.count.load(ordering: .relaxed)
            text += name.line("\(count)", suffix: "_bucket", extra: "le=\"\(bound)\"")
        }
        text += name.line("\(sum.value)", suffix: "_sum") + name.line("\(count)", suffix: "_count")
    }
}

/// A number that is read when somebody asks for it.
final class Observed: Series {
    let kind: MetricKind
    private let read: @Sendable () -> Double

    init(_ kind: MetricKind, _ read: @escaping @Sendable () -> Double) {
        self.kind = kind
        self.read = read
    }

    func write(_ name: SeriesName, to text: inout String) { text += name.line("\(read())") }
}
