import Areas
import Foundation
package import Jobs
import Video

/// What the routes of videos and the runner of jobs share.
package struct VideoServices: Sendable {
    package let store: JobStore
    let folder: VideoFolder
    /// The path of `framemesh-video`.
    let helper: String
    let limits: VideoJobLimits
    let quota: UploadQuota
    /// Of uploads whose first frame is decoded: each has a decoder, whose memory strangers' videos decide upon.
    let looks: Turns
    let watchers: Places
    /// Of those who go through results, and hold a page of them.
    let readers: Places
    let areas: AreaLimits
    let areaRules: AreaRules
    let metrics: VideoMetrics

    /// - Returns: nil if there is no `framemesh-video`.
    /// - Throws: `GatewayError` that names the folder or the database.
    static func open(_ configuration: GatewayConfiguration, _ metrics: VideoMetrics) async throws -> VideoServices? {
        guard let helper = configuration.videoHelper else { return nil }
        let folder = try VideoFolder(in: configuration.data)
        do {
            let store = try await configuration.database.open(in: configuration.data, now: .now)
            return VideoServices(store, folder, helper: helper, configuration.limits, metrics)
        } catch {
            throw GatewayError("cannot open the database of jobs: \(error)", cause: error)
        }
    }

    init(
        _ store: JobStore, _ folder: VideoFolder, helper: String, _ limits: GatewayLimits,
        _ metrics: VideoMetrics = .none
    ) {
        self.metrics = metrics
        self.store = store
        self.folder = folder
        self.helper = helper
        self.limits = limits.videos
        quota = UploadQuota(limits.videos, store, folder, share: limits.rate.share)
        looks = Turns(limits.videos.maxRunning)
        watchers = Places(
            limits.videos.maxWatchers, "max-video-watchers", of: "followers of videos", share: limits.rate.share)
        readers = Places(
            limits.videos.maxReaders, "max-result-readers", of: "readers of results", share: limits.rate.share)
        areas = limits.areas
        areaRules = limits.areaRules
    }

    /// The frames of a job's video.
    /// - Throws: `VideoError`.
    func reader(of job: JobID) async throws -> VideoReader {
        try await VideoReader.open(folder.file(.video, of: job), helper: helper, maxPixels: limits.maxPixels)
    }

    /// Watches a job's areas. They were valid when they came; limits that were lowered since are no reason to end.
    func watch(of areas: String) -> AreaWatch {
        let set = try? AreaSet(json: Data(areas.utf8), limits: self.areas)
        return AreaWatch(set ?? AreaSet(), rules: areaRules)
    }
}
