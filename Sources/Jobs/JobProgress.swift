/// How far a job is.
package struct JobProgress: Sendable, Hashable {
    /// Frames with a result. They are the first ones of the video, without a gap.
    package var framesDone: Int64 = 0
    /// What the file says of itself, until the job is done; nil where it says nothing.
    package var framesTotal: Int64?
    /// Of `framesDone`: without an answer by the stream's policy.
    package var dropped: Int64 = 0
    /// Of `framesDone`: with a result that lacks a stage.
    package var partial: Int64 = 0
    /// Of `framesDone`: answered with an error.
    package var failed: Int64 = 0
    /// Of `failed`.
    package var causes = FrameCauses()
    /// Packets of the file that were left out, or decoded with errors; known when it was read to its end.
    package var damagedPackets: Int64 = 0
    /// Frames a second, lately.
    package var rate = 0.0

    package init() {}

    /// There are frames, and none has a result.
    package var isFailure: Bool { framesDone > 0 && failed == framesDone }

    /// 0…1; nil where the number of frames is not known. A file that has more frames than it says stays just below 1.
    package var fraction: Double? {
        guard let framesTotal, framesTotal > 0 else { return nil }
        return min(Double(framesDone) / Double(max(framesTotal, framesDone)), 1)
    }

    /// Seconds to the last frame at this rate; nil where that cannot be told.
    package var secondsLeft: Double? {
        guard let framesTotal, rate > 0 else { return nil }
        return Double(max(0, framesTotal - framesDone)) / rate
    }
}
