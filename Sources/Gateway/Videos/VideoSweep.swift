import Jobs
import Logging

/// Removes what has expired, what of removed jobs is left, and files that belong to nobody.
struct VideoSweep {
    let videos: VideoServices
    let logger: Logger

    /// Files without a job stay for so long: an upload that is still coming, or its last step between file and store.
    static let orphanAge: Duration = .seconds(3600)

    func run(now: JobTime) async throws {
        while true {
            let expired = try await videos.store.deleteExpired(now: now)
            for id in expired { await videos.folder.remove(id) }
            if !expired.isEmpty { logger.info("videos have expired", metadata: ["count": "\(expired.count)"]) }
            if expired.count < JobStore.maxPage { break }
        }
        while let step = try await videos.store.removePiece(rows: videos.limits.removalRows) {
            // A gateway may have died between the job and its files.
            if case .gone(let id) = step { await videos.folder.remove(id) }
            try Task.checkCancellation()
        }
        for entry in try await videos.folder.entries() where entry.modifiedAt + Self.orphanAge < now {
            if entry.kind == .part {
                await videos.folder.remove(entry)
            } else if try await videos.store.job(entry.id) == nil {
                await videos.folder.remove(entry)
            }
        }
    }
}
