public import Metrics

/// Measures calls with swift-metrics:
///
/// | name | dimensions | what |
/// |---|---|---|
/// | `rpc_server_calls_total` | method, code | calls that have ended |
/// | `rpc_server_call_seconds` | method | how long they took (a timer) |
/// | `rpc_server_calls_in_flight` | method | calls that run |
/// | `rpc_server_received_bytes_total`, `rpc_server_sent_bytes_total` | method | messages, without prefixes |
/// | `rpc_server_received_messages_total`, `rpc_server_sent_messages_total` | method | |
///
/// `method` is the name of a method that the server has, or `unknown`, so a peer cannot make new series. All are made
/// when the server starts. Put it before the interceptors whose refusals shall be counted.
public struct MetricsInterceptor: ServerInterceptor {
    private let factory: any MetricsFactory

    public init(factory: any MetricsFactory = MetricsSystem.factory) { self.factory = factory }

    public func hooks(for method: MethodDescription) -> CallHooks {
        let meters = CallMeters(method.name, factory)
        return CallHooks(
            admit: { _ in meters.inFlight.increment() },
            finished: { _, report in meters.record(report) })
    }
}

/// Of one method.
private struct CallMeters: Sendable {
    let inFlight: Meter
    private let calls: [Counter]
    private let seconds: Timer
    private let receivedBytes: Counter
    private let receivedMessages: Counter
    private let sentBytes: Counter
    private let sentMessages: Counter

    init(_ method: String, _ factory: any MetricsFactory) {
        let dimensions = [("method", method)]
        func counter(_ name: String) -> Counter {
            Counter(label: "rpc_server_\(name)_total", dimensions: dimensions, factory: factory)
        }
        inFlight = Meter(label: "rpc_server_calls_in_flight", dimensions: dimensions, factory: factory)
        seconds = Timer(label: "rpc_server_call_seconds", dimensions: dimensions, factory: factory)
        calls = (0...16).map { code in
            Counter(
                label: "rpc_server_calls_total",
                dimensions: dimensions + [("code", "\(StatusCode(rawValue: code))")], factory: factory)
        }
        receivedBytes = counter("received_bytes")
        receivedMessages = counter("received_messages")
        sentBytes = counter("sent_bytes")
        sentMessages = counter("sent_messages")
    }

    func record(_ report: CallReport) {
        inFlight.decrement()
        let code = report.code.rawValue
        // Numbers that gRPC does not have count as UNKNOWN.
        calls[calls.indices.contains(code) ? code : StatusCode.unknown.rawValue].increment()
        seconds.recordNanoseconds(Int64(report.duration / .nanoseconds(1)))
        receivedBytes.increment(by: report.traffic.receivedBytes)
        receivedMessages.increment(by: report.traffic.receivedMessages)
        sentBytes.increment(by: report.traffic.sentBytes)
        sentMessages.increment(by: report.traffic.sentMessages)
    }
}
