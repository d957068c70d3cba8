import HTTPTypes
import Metrics
import Synchronization

/// How many requests with pictures are at work; more than a limit are refused at once.
final class RunningPictures: Sendable {
    private let limit: Int
    private let running = Mutex(0)

    private let meter: Meter

    init(limit: Int, meter: Meter) {
        self.limit = limit
        self.meter = meter
    }

    var count: Int { running.withLock { $0 } }

    /// - Throws: `Problem`, 429.
    func run<Value>(_ body: () async throws -> Value) async throws -> Value {
        let isTaken = running.withLock { running in
            guard running < limit else { return false }
            running += 1
            return true
        }
        guard isTaken else {
            throw Problem(
                .tooManyRequests, "more than \(limit) requests with pictures at one time",
                limit: ("max-running-pictures", "\(limit)")
            ).retry(after: .seconds(1))
        }
        meter.increment()
        defer {
            meter.decrement()
            running.withLock { $0 -= 1 }
        }
        return try await body()
    }
}
