import CoreMetrics
import Metrics
import Synchronization

/// A metrics system that only counts: name and dimensions to a number.
final class Tally: MetricsFactory {
    final class Count: CounterHandler {
        let value = Atomic<Int64>(0)
        func increment(by amount: Int64) { value.add(amount, ordering: .relaxed) }
        func reset() { value.store(0, ordering: .relaxed) }
    }

    private let counts = Mutex<[String: Count]>([:])

    func count(_ name: String) -> Count {
        counts.withLock { counts in
            if let known = counts[name] { return known }
            let count = Count()
            counts[name] = count
            return count
        }
    }

    /// One line `name value` for each, sorted.
    var text: String {
        let all = counts.withLock { $0.mapValues { $0.value.load(ordering: .relaxed) } }
        return all.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }.joined()
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        count(([label] + dimensions.map { "\($0.0)=\($0.1)" }).joined(separator: ","))
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        NOOPMetricsHandler.instance
    }
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { NOOPMetricsHandler.instance }
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}
