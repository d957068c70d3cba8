import RPC
import Synchronization

/// How often each caller has asked of late: by name where it has one, else by address.
final class CallerRates: Sendable {
    private struct State {
        var requests = RateTable<Caller.Key>()
        var guesses = RateTable<AddressBlock?>()
    }

    private let limits: RateLimits
    private let state = Mutex(State())

    init(_ limits: RateLimits) { self.limits = limits }

    /// Counts one request.
    /// - Returns: nil, or after what time the next one is taken.
    func wait(of caller: Caller, now: ContinuousClock.Instant) -> Duration? {
        state.withLock { state in
            state.requests.with(caller.key, burst: limits.burst, max: limits.maxCallers, now: now) {
                $0.take(rate: Double(limits.requestsPerSecond), burst: limits.burst, now: now)
            }
        }
    }

    /// Counts one unknown token.
    /// - Returns: nil, or how long this address has shown too many.
    func waitOfGuesser(at address: AddressBlock?, now: ContinuousClock.Instant) -> Duration? {
        let burst = limits.badTokensPerMinute
        return state.withLock { state in
            state.guesses.with(address, burst: burst, max: limits.maxCallers, now: now) {
                $0.take(rate: Double(burst) / 60, burst: burst, now: now)
            }
        }
    }
}

/// Buckets by key, of which the oldest go when there are too many.
struct RateTable<Key: Hashable & Sendable>: Sendable {
    private var buckets: [Key: TokenBucket] = [:]

    var count: Int { buckets.count }

    mutating func with(
        _ key: Key, burst: Int, max: Int, now: ContinuousClock.Instant, _ body: (inout TokenBucket) -> Duration?
    ) -> Duration? {
        if buckets[key] == nil, buckets.count >= max { forget(keeping: max / 2) }
        return body(&buckets[key, default: TokenBucket(burst: burst, now: now)])
    }

    /// Half of them at once, so that many newcomers do not cost a search each.
    private mutating func forget(keeping count: Int) {
        let kept = buckets.sorted { $0.value.lastUse > $1.value.lastUse }.prefix(count)
        buckets = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
    }
}
