import Jobs
import Messages
import NIOCore

/// Results on their way into the store: together, since a transaction costs as much for one as for many, and soon, since
/// people watch.
struct FrameSpool {
    private let limits: VideoJobLimits
    private var batch = FrameBatch()
    private var bytes = 0
    private var since: ContinuousClock.Instant
    private var meter: RateMeter
    private var done: Int64

    /// - Parameter done: frames in the store.
    init(_ limits: VideoJobLimits, done: Int64, now: ContinuousClock.Instant) {
        self.limits = limits
        self.done = done
        since = now
        meter = RateMeter(start: now, frames: done)
    }

    /// - Returns: what to record now, if it is time.
    mutating func add(_ response: AnalyzeResponse, now: ContinuousClock.Instant) -> FrameBatch? {
        let result = FrameResult(response)
        batch.results.append(result)
        bytes += result.body.readableBytes
        switch response.status {
        case .ok: break
        case .partial: batch.partial += 1
        case .dropped: batch.dropped += 1
        // What is said of each frame by its number is one cause.
        case .error: batch.fail(response.cause.replacing("frame \(response.sequence) ", with: "a frame "))
        }
        let isFull = batch.results.count >= limits.batchFrames || bytes >= limits.batchBytes
        return isFull || now - since >= limits.batchTime ? take(now: now) : nil
    }

    /// - Returns: what is left; nil: nothing.
    mutating func take(now: ContinuousClock.Instant) -> FrameBatch? {
        guard !batch.results.isEmpty else { return nil }
        done += Int64(batch.results.count)
        batch.rate = meter.rate(at: now, frames: done)
        defer { batch = FrameBatch() }
        bytes = 0
        since = now
        return batch
    }
}
