import Messages
import Metrics

/// What becomes of the frames of live streams. Its handles are made once.
///
/// | name | labels | what |
/// |---|---|---|
/// | `framemesh_stream_frames_received_total` | | frames that sources have brought |
/// | `framemesh_stream_frames_total` | outcome | frames that have ended: answered, dropped, failed |
/// | `framemesh_viewers_dropped_total` | | viewers who were too slow |
struct StreamMetrics: Sendable {
    let received, answered, dropped, failed, viewersDropped: Counter
    let webhooks: WebhookMetrics

    init(factory: any MetricsFactory) {
        func ended(_ outcome: String) -> Counter {
            Counter(label: "framemesh_stream_frames_total", dimensions: [("outcome", outcome)], factory: factory)
        }
        received = Counter(label: "framemesh_stream_frames_received_total", factory: factory)
        answered = ended("answered")
        dropped = ended("dropped")
        failed = ended("failed")
        viewersDropped = Counter(label: "framemesh_viewers_dropped_total", factory: factory)
        webhooks = WebhookMetrics(of: "streams", factory: factory)
    }

    /// The mesh has answered a frame.
    func ended(_ status: AnswerStatus) {
        switch status {
        case .ok, .partial: answered.increment()
        case .dropped: dropped.increment()
        case .error: failed.increment()
        }
    }
}
