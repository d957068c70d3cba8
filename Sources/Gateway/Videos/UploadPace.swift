import HTTPTypes
import RPC

/// Whether the upload of a video comes fast enough: it holds a place and room on the disk that others wait for. That
/// something comes at all, its connection sees to (`min-upload-rate`).
struct UploadPace {
    private let limits: VideoJobLimits
    private let begin: ContinuousClock.Instant

    init(_ limits: VideoJobLimits, begin: ContinuousClock.Instant) {
        self.limits = limits
        self.begin = begin
    }

    /// - Parameter count: bytes that have come in all.
    /// - Throws: `Problem`, 408.
    func check(_ count: Int64, at now: ContinuousClock.Instant) throws {
        let time = begin.duration(to: now)
        guard time <= limits.uploadTime else {
            throw Problem(
                .requestTimeout, "the upload takes longer than \(limits.uploadTime)",
                limit: ("video-upload-time", "\(limits.uploadTime)"))
        }
        guard time <= limits.uploadPatience || Double(count) >= Double(limits.minUploadRate) * (time / .seconds(1))
        else {
            throw Problem(
                .requestTimeout, "the upload has less than \(limits.minUploadRate) bytes a second",
                limit: ("min-video-upload-rate", "\(limits.minUploadRate)"))
        }
    }
}
