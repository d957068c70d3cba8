import Messages
import NIOCore
import Tracking

/// The tracker of one stream, fed in order with the answers that have detections.
struct StreamTracking {
    private var tracker = Tracker()
    /// Detections without a track that are weaker are left out of the answer: they were asked for the tracker alone.
    private let reported: Float
    private var last: (captureTime: Int64, arrival: NIODeadline)?

    init(reported: Float) { self.reported = reported }

    /// Confidence from which a detection is reported though no track has it.
    /// - Parameter minConfidence: what the stream asks for; 0: nothing particular.
    static func reported(_ minConfidence: Float) -> Float {
        minConfidence > 0 ? minConfidence : Tracker.Configuration().trackActivationThreshold
    }

    mutating func update(_ response: inout AnalyzeResponse) {
        // Where nobody has looked, nothing is said of what is there.
        guard response.status == .ok || response.status == .partial, !response.missing.contains("detect")
        else { return }
        let start = NIODeadline.now()
        let tracked = tracker.update(response.detections, at: time(of: response, now: start))
        response.detections = tracked.filter { $0.trackID != nil || $0.confidence >= reported }
        response.timing.append(Timing("track", NIODeadline.now() - start))
    }

    /// The capture time, or for a sender that gives none, the time that passed here.
    private mutating func time(of response: AnalyzeResponse, now: NIODeadline) -> Int64 {
        var time = response.captureTime
        if time == 0, let last {
            let (sum, overflow) = last.captureTime.addingReportingOverflow((now - last.arrival).nanoseconds / 1000)
            time = overflow ? .max : sum
        }
        last = (time, now)
        return time
    }
}
