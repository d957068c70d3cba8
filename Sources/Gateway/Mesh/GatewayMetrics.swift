package import Metrics
import Synchronization

/// What a gateway counts:
///
/// | name | labels | what |
/// |---|---|---|
/// | `http_requests_total` | route, method, status | requests that were answered |
/// | `http_request_seconds` | route | from a request's header to its answer's |
/// | `http_refused_total` | limit | requests and connections beyond a limit, by its name |
/// | `http_pictures_in_flight` | | requests with pictures that are at work |
///
/// Routes are the gateway's own, with `{id}` for what varies, so no peer makes new series.
package final class GatewayMetrics: Sendable {
    private struct RequestKey: Hashable {
        var route, method: String
        var status: Int
    }

    private struct Known {
        var requests: [RequestKey: Counter] = [:]
        var seconds: [String: Timer] = [:]
        var refused: [String: Counter] = [:]
    }

    package let factory: any MetricsFactory
    package let picturesInFlight: Meter
    private let known = Mutex(Known())

    package init(_ factory: any MetricsFactory) {
        self.factory = factory
        picturesInFlight = Meter(label: "http_pictures_in_flight", factory: factory)
    }

    /// - Parameter route: nil: none took the request, whose method may be any word then.
    func answered(route: String?, method: String, status: Int, after time: Duration) {
        let key = RequestKey(route: route ?? "none", method: route == nil ? "any" : method, status: status)
        let (counter, timer) = known.withLock { known in
            let counter =
                known.requests[key]
                ?? Counter(
                    label: "http_requests_total",
                    dimensions: [("route", key.route), ("method", key.method), ("status", "\(status)")],
                    factory: factory)
            known.requests[key] = counter
            let timer =
                known.seconds[key.route]
                ?? Timer(label: "http_request_seconds", dimensions: [("route", key.route)], factory: factory)
            known.seconds[key.route] = timer
            return (counter, timer)
        }
        counter.increment()
        timer.recordNanoseconds(Int64(time / .nanoseconds(1)))
    }

    /// - Parameter limit: by the name that a flag sets it by.
    package func refused(by limit: String) {
        let counter = known.withLock { known in
            let counter =
                known.refused[limit]
                ?? Counter(label: "http_refused_total", dimensions: [("limit", limit)], factory: factory)
            known.refused[limit] = counter
            return counter
        }
        counter.increment()
    }
}
