/// One window of a measurement.
package struct WindowRecord: Sendable, Codable, Equatable {
    /// How long it was.
    package var seconds: Double
    package var framesPerSecond: Double
    package var answered: UInt64
    /// Of those that were answered; nil: an older program did not say.
    package var partial: UInt64?
    package var failed: UInt64
    package var dropped: UInt64
    /// Of frames whose answers came in this window; of none, if none came.
    package var latencyMs: LatencyFigures

    package init(_ tally: Tally, seconds: Double) {
        self.seconds = seconds
        framesPerSecond = seconds > 0 ? Double(tally.answered) / seconds : 0
        answered = tally.answered
        partial = tally.partial
        failed = tally.failed
        dropped = tally.dropped
        latencyMs = tally.latencies.figures
    }

    /// What has to agree.
    /// - Parameter percentile: of the latency; nil: its mean.
    package static func sample(_ tally: Tally, seconds: Double, percentile: Double?) -> Steadiness.Sample {
        Steadiness.Sample(
            throughput: seconds > 0 ? Double(tally.answered) / seconds : 0,
            latency: percentile.map { tally.latencies.milliseconds(at: $0) } ?? tally.latencies.mean)
    }
}
