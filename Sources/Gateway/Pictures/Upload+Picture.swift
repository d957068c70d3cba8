import HTTPTypes
import NIOCore

extension Upload {
    /// All of a picture, within the time and the memory that there are for pictures.
    /// - Throws: `Problem`: 408, 413, or 429 where others have taken all memory.
    func picture(
        since begin: ContinuousClock.Instant, in memory: Places.Place, _ limits: PictureLimits
    ) async throws -> ByteBuffer {
        var whole = ByteBuffer()
        for try await part in self {
            try limits.checkUploadTime(since: begin)
            try memory.add(part.readableBytes)
            if whole.readableBytes == 0, part.readableBytes == declaredBytes { return part }
            if whole.capacity == 0 { whole.reserveCapacity(firstCapacity) }
            whole.writeImmutableBuffer(part)
        }
        return whole
    }
}

extension PictureLimits {
    /// - Throws: `Problem`, 408.
    func checkUploadTime(since begin: ContinuousClock.Instant) throws {
        guard begin.duration(to: .now) > uploadTime else { return }
        throw Problem(
            .requestTimeout, "the upload took longer than \(uploadTime)",
            limit: ("upload-time", uploadTime / .seconds(1)))
    }
}
