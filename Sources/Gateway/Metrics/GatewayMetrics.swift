package import Metrics
import Synchronization

/// What a gateway counts, beside what its rooms do (`StreamMetrics`, `VideoMetrics`) and what it knows anyway
/// (`GatewayServices.show`):
///
/// | name | labels | what |
/// |---|---|---|
/// | `http_requests_total` | route, method, status | requests that were answered |
/// | `http_request_seconds` | route | from a request's header to its answer's |
/// | `http_refused_total` | limit | requests and connections beyond a limit, by its name |
/// | `http_pictures_in_flight` | | requests with pictures that are at work |
///
/// Routes are the gateway's own, with `{id}` for what varies, so no peer makes new series. Every limit is there from the
/// beginning.
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
    let streams: StreamMetrics
    let videos: VideoMetrics
    private let known = Mutex(Known())

    package init(_ factory: any MetricsFactory) {
        self.factory = factory
        picturesInFlight = Meter(label: "http_pictures_in_flight", factory: factory)
        streams = StreamMetrics(factory: factory)
        videos = VideoMetrics(factory: factory)
        known.withLock { known in
            for name in Self.refusing { known.refused[name] = Self.refusals(name, factory) }
        }
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
            let counter = known.refused[limit] ?? Self.refusals(limit, factory)
            known.refused[limit] = counter
            return counter
        }
        counter.increment()
    }

    private static func refusals(_ limit: String, _ factory: any MetricsFactory) -> Counter {
        Counter(label: "http_refused_total", dimensions: [("limit", limit)], factory: factory)
    }

    /// The limits that somebody is refused by. Others bound what a gateway does on its own.
    static let refusing =
        ConnectionWatch.Ending.allCases.filter(\.isRefusal).map(\.rawValue) + [
            "area-coordinate", "area-dwell", "area-label", "area-labels", "area-name", "area-points", "areas",
            "bad-tokens-per-minute", "caller-share", "max-connections", "max-connections-per-address",
            "max-drawn-pixels", "max-json-bytes", "max-multipart-bytes", "max-part-header-bytes", "max-picture-bytes",
            "max-pictures",
            "max-result-readers", "max-running-pictures", "max-stored-bytes", "max-upload-memory", "max-uploads",
            "max-video-bytes", "max-video-frames", "max-video-jobs", "max-video-pixels", "max-video-watchers",
            "min-free-bytes", "min-video-upload-rate", "requests-per-second", "stream-name", "stream-waiting-frames",
            "streams", "upload-time", "video-look-time", "video-upload-time", "viewers", "webhooks",
        ]
}
