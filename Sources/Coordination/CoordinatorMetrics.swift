import Mesh
import Messages
import Metrics
import NIOCore
import RPC
import Telemetry

/// What a coordinator measures and counts on the way of each frame. Its handles are made once, when it starts.
struct CoordinatorMetrics: Sendable {
    /// `framemesh_stage_seconds`: from the arrival to the start of the first stage; from there to the last answer of a
    /// node; from there to the answer; in the tracker; and until the client of a stream has taken it.
    let queue, fanOut, merge, track, send: Timer
    private let seconds: [String: Timer]
    private let outcomes: [AnswerStatus: Counter]
    private let failures: [Counter]
    private let replaced, expired, noRoom, abandonedOutcome, abandonedReason: Counter

    /// Counts nothing.
    static let none = CoordinatorMetrics(pipelines: [], factory: NOOPMetricsHandler.instance)

    /// - Parameter pipelines: names of all there are.
    init(pipelines: [String], factory: any MetricsFactory) {
        let role = [("role", "coordinator")]
        func stage(_ name: String) -> Timer {
            Timer(label: "framemesh_stage_seconds", dimensions: role + [("stage", name)], factory: factory)
        }
        func counter(_ name: String, _ label: String, _ value: String) -> Counter {
            Counter(label: name, dimensions: role + [(label, value)], factory: factory)
        }
        queue = stage("queue")
        fanOut = stage("fan_out")
        merge = stage("merge")
        track = stage("track")
        send = stage("send")
        seconds = Dictionary(
            pipelines.map { name in
                (
                    name,
                    Timer(label: "framemesh_frame_seconds", dimensions: role + [("pipeline", name)], factory: factory)
                )
            }
        ) { first, _ in first }
        outcomes = Dictionary(
            uniqueKeysWithValues: Self.words.map { ($0, counter("framemesh_frames_total", "outcome", $1)) })
        failures = (0...16).map {
            counter("framemesh_drops_total", "reason", "\(StatusCode(rawValue: $0))".lowercased())
        }
        replaced = counter("framemesh_drops_total", "reason", "replaced")
        expired = counter("framemesh_drops_total", "reason", "expired")
        abandonedOutcome = counter("framemesh_frames_total", "outcome", "abandoned")
        abandonedReason = counter("framemesh_drops_total", "reason", "abandoned")
        noRoom = counter("framemesh_drops_total", "reason", "no_room")
    }

    private static let words: KeyValuePairs<AnswerStatus, String> = [
        .ok: "answered", .partial: "partial", .dropped: "dropped", .error: "failed",
    ]

    /// A frame has its answer.
    func answered(_ response: AnalyzeResponse, pipeline: String, after time: TimeAmount) {
        seconds[pipeline]?.recordNanoseconds(time.nanoseconds)
        outcomes[response.status]?.increment()
        switch response.status {
        case .dropped: dropped(StatusCode(rawValue: response.code)).increment()
        case .error: failed(StatusCode(rawValue: response.code))
        default: break
        }
    }

    /// A frame that came alone is answered by an error.
    func refused(_ code: StatusCode) {
        outcomes[.error]?.increment()
        failed(code)
    }

    /// Nobody takes the answers of so many frames any more.
    func abandoned(_ count: Int) {
        abandonedOutcome.increment(by: count)
        abandonedReason.increment(by: count)
    }

    private func failed(_ code: StatusCode) {
        // Numbers that gRPC does not have count as UNKNOWN.
        failures[failures.indices.contains(code.rawValue) ? code.rawValue : StatusCode.unknown.rawValue].increment()
    }

    /// As the rules of its stream wanted.
    private func dropped(_ code: StatusCode) -> Counter {
        switch code {
        case .aborted: replaced
        case .resourceExhausted: noRoom
        default: expired
        }
    }
}

extension BalancedChannel {
    /// Shows what the channel knows anyway: that costs nothing until somebody asks.
    func show(in metrics: PrometheusMetrics, stage: String) {
        let stage = [("role", "coordinator"), ("stage", stage)]
        metrics.observe("framemesh_queue_depth", stage) { Double(self.waitingCalls) }
        for state in EndpointState.State.allCases {
            metrics.observe("framemesh_endpoints", stage + [("state", state.rawValue)]) {
                Double(self.endpoints().count { $0.state == state })
            }
        }
    }
}
