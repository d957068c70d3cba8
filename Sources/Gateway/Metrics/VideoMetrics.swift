import Metrics

/// What a gateway does for videos. Its handles are made once.
///
/// | name | labels | what |
/// |---|---|---|
/// | `framemesh_video_upload_bytes_total` | | bytes of videos that have come |
/// | `framemesh_video_frames_total` | | frames of videos whose results were recorded |
/// | `framemesh_video_turns_total` | outcome | turns at a job that have ended |
struct VideoMetrics: Sendable {
    /// How a gateway's turn at a job ends.
    enum Turn: String, CaseIterable {
        case done, failed
        /// The job was cancelled or removed, or is another gateway's by now.
        case lost
        /// Given back, for another turn: the gateway ends, or the mesh or the store is not there.
        case released
    }

    let uploadBytes, frames: Counter
    let webhooks: WebhookMetrics
    private let turns: [Turn: Counter]

    static let none = VideoMetrics(factory: NOOPMetricsHandler.instance)

    init(factory: any MetricsFactory) {
        uploadBytes = Counter(label: "framemesh_video_upload_bytes_total", factory: factory)
        frames = Counter(label: "framemesh_video_frames_total", factory: factory)
        webhooks = WebhookMetrics(of: "videos", factory: factory)
        turns = Dictionary(
            uniqueKeysWithValues: Turn.allCases.map { turn in
                let outcome = [("outcome", turn.rawValue)]
                return (turn, Counter(label: "framemesh_video_turns_total", dimensions: outcome, factory: factory))
            })
    }

    func ended(_ turn: Turn) { turns[turn]?.increment() }
}
