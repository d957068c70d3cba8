import Metrics
import Synchronization

/// One metric with one set of labels.
protocol Series: AnyObject, Sendable {
    /// As Prometheus calls it.
    var kind: String { get }
    func write(_ name: SeriesName, to text: inout String)
}

final class Count: Series, CounterHandler {
    private let value = Atomic<Int64>(0)

    let kind = "counter"

    func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { value.store(0, ordering: .relaxed) }

    func write(_ name: SeriesName, to text: inout String) { text += name.line("\(value.load(ordering: .relaxed))") }
}

final class Sum: Series, FloatingPointCounterHandler {
    private let value = Mutex(0.0)

    let kind = "counter"

    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func reset() { value.withLock { $0 = 0 } }

    func write(_ name: SeriesName, to text: inout String) { text += name.line("\(value.withLock { $0 })") }
}

final class Gauge: Series, MeterHandler, RecorderHandler {
    private let value = Mutex(0.0)

    let kind = "gauge"

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }

    func write(_ name: SeriesName, to text: inout String) { text += name.line("\(value.withLock { $0 })") }
}

final class Histogram: Series, TimerHandler, RecorderHandler {
    static let seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
    static let sizes = [1.0, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 16_777_216]

    private struct State {
        /// Of each bound what is not above it and above the one before; the last is what is above all.
        var counts: [UInt64]
        var sum = 0.0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    let kind = "histogram"

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        let place = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[place] += 1
            state.sum += value
        }
    }

    func write(_ name: SeriesName, to text: inout String) {
        let state = state.withLock { $0 }
        var count: UInt64 = 0
        for (bound, own) in zip(bounds.map { "\($0)" } + ["+Inf"], state.counts) {
            count += own
            text += name.line("\(count)", suffix: "_bucket", extra: "le=\"\(bound)\"")
        }
        text += name.line("\(state.sum)", suffix: "_sum") + name.line("\(count)", suffix: "_count")
    }
}
