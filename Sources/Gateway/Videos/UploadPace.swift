import HTTPTypes
import RPC

/// Whether the upload of a video comes fast enough: it holds a place and room on the disk that others wait for. That
/// something comes at all, its connection sees to (`min-upload-rate`).
///
/// Only the peer's time counts: what our own disk and database take is none of its fault.
struct UploadPace {
    private let limits: VideoJobLimits
    /// For the peer, in all.
    private var waited: Duration = .zero
    private var count: Int64 = 0

    init(_ limits: VideoJobLimits) { self.limits = limits }

    /// - Parameters:
    ///   - bytes: that have come.
    ///   - wait: for these.
    /// - Throws: `Problem`, 408.
    mutating func add(_ bytes: Int, after wait: Duration) throws {
        count += Int64(bytes)
        waited += wait
        guard waited <= limits.uploadTime else {
            throw Problem(
                .requestTimeout, "the upload takes longer than \(limits.uploadTime)",
                limit: ("video-upload-time", limits.uploadTime / .seconds(1)))
        }
        guard waited <= limits.uploadPatience || Double(count) >= Double(limits.minUploadRate) * (waited / .seconds(1))
        else {
            throw Problem(
                .requestTimeout, "the upload has less than \(limits.minUploadRate) bytes a second",
                limit: ("min-video-upload-rate", Double(limits.minUploadRate)))
        }
    }
}
