package import RPC

/// What videos may take: of the disk, of the mesh, and of those who watch.
package struct VideoJobLimits: Sendable {
    package var maxVideoBytes = 512 << 20
    /// Uploads, annotated videos and results of all jobs, and what of uploads has come so far.
    package var maxStoredBytes = 16 << 30
    /// Results of one video, in the database.
    package var maxResultBytes = 1 << 30
    /// Of the disk of the data folder, what nothing that grows may take: jobs can still be ended and removed then.
    package var minFreeBytes = 64 << 20
    /// Jobs that are kept, finished or not.
    package var maxJobs = 10_000
    package var maxUploads = 16
    /// For the whole upload of a video.
    package var uploadTime: Duration = .seconds(3600)
    /// Bytes a second of an upload, over all of it, from `uploadPatience` on.
    package var minUploadRate = 32 << 10
    package var uploadPatience: Duration = .seconds(30)
    /// For the first frame of an upload, by the clock. Its decoder has 60 seconds of the processor, and fails by itself
    /// when they are over: what takes longer than this gets none, or hangs, and holds a turn that others wait for.
    package var lookTime: Duration = .seconds(120)
    /// Of one video: each has a result that is kept. Four and a half hours at 30 a second.
    package var maxFrames = 500_000
    /// Of one picture. A decoder may hold 16 of them, of 1.5 to 6 bytes a pixel.
    package var maxPixels = 50_000_000
    /// That gateways work on one video, all in all.
    package var maxTime: Duration = .seconds(43_200)
    /// One annotated video.
    package var maxAnnotatedBytes = 1 << 30
    /// Videos that this gateway analyses at one time; of uploads, it looks at the first frames of so many more.
    package var maxRunning = 2
    /// After its end, a job and its files stay for so long.
    package var retention: Duration = .seconds(86_400)
    /// A gateway that says nothing for so long has lost its job to any other.
    package var lease: Duration = .seconds(15)
    /// How often the store is asked for work.
    package var claimInterval: Duration = .milliseconds(500)
    /// How often expired jobs and forgotten files are looked for.
    package var sweepInterval: Duration = .seconds(60)
    /// Results that one transaction removes.
    package var removalRows = 2000
    /// How often jobs are counted for metrics.
    package var censusInterval: Duration = .seconds(5)
    /// After a mesh or a store that could not be reached, and before a job is begun again that brought no frame.
    package var retryPause: Duration = .seconds(3)
    /// The second of these grows with each attempt, up to this.
    package var longestRetryPause: Duration = .seconds(300)
    /// A video at work that has no result for so long says what it waits for.
    package var stallTime: Duration = .seconds(5)
    /// Results that are recorded together, at most.
    package var batchFrames = 64
    package var batchBytes = 1 << 20
    /// The longest that a result waits for others to be recorded with.
    package var batchTime: Duration = .milliseconds(250)
    /// Results that are read together, at most.
    package var pageFrames = 256
    package var pageBytes = 256 << 10
    /// Those who go through the results of a video: who download them, and watchers of areas that were changed.
    package var maxReaders = 64
    /// How often a watcher's job is looked at.
    package var watchInterval: Duration = .milliseconds(250)
    /// Receivers of webhooks that are told something at one time.
    package var webhookSenders = 4
    /// There are few senders for all receivers: one that has much to hear, or hears slowly, is gone on with later.
    package var webhookTurn: Duration = .seconds(5)
    /// Webhooks whose areas are remembered as they are; of others they are worked out anew, from the first frame.
    package var webhookShelf = 64
    /// How often there is news for webhooks.
    package var webhookInterval: Duration = .seconds(1)
    /// Those who follow the events of videos.
    package var maxWatchers = 1000
    /// Between two signs of life on a stream of events.
    package var keepAlive: Duration = .seconds(15)

    package init() {}

    package static let limits: [Limit<VideoJobLimits>] = [
        Limit("max-video-bytes", \.maxVideoBytes, .bytes, in: 1...(1 << 40), "One uploaded video."),
        Limit(
            "max-stored-bytes", \.maxStoredBytes, .bytes, in: 1...(1 << 50),
            "Uploads, annotated videos and results, all together."),
        Limit(
            "max-result-bytes", \.maxResultBytes, .bytes, in: 1...(1 << 40),
            "Results of one video; a job with more fails, and keeps those before."),
        Limit(
            "min-free-bytes", \.minFreeBytes, .bytes, in: 0...(1 << 50),
            "Of the disk of --data; what would leave less is refused, so that videos can be removed."),
        Limit("max-video-jobs", \.maxJobs, .count, "Videos that are kept, with their results."),
        Limit("max-uploads", \.maxUploads, .count, in: 1...10_000, "Videos that are uploaded at one time."),
        Limit("video-upload-time", \.uploadTime, "For the whole upload of a video."),
        Limit(
            "min-video-upload-rate", \.minUploadRate, .bytesPerSecond,
            "Of a video's upload, over all of it; slower ones make room for others."),
        Limit(
            "video-upload-patience", \.uploadPatience, "An upload of a video may be as slow as it likes for so long."),
        Limit("video-look-time", \.lookTime, "For the first frame of an uploaded video; its decoder is ended then."),
        Limit("max-video-frames", \.maxFrames, .count, "Frames of one video; a job with more fails behind them."),
        Limit(
            "max-video-pixels", \.maxPixels, .count, in: 1...50_000_000,
            "Pixels of one picture of a video; its decoder takes 24 bytes for each, or more."),
        Limit("max-video-time", \.maxTime, "How long gateways work on one video; a job that takes longer fails."),
        Limit(
            "max-annotated-bytes", \.maxAnnotatedBytes, .bytes, in: 1...(1 << 40),
            "One annotated video; reserved of max-stored-bytes while it is written."),
        Limit(
            "max-running-videos", \.maxRunning, .count, in: 1...64,
            "Videos that a gateway analyses at one time; it looks at the first frames of as many uploads."),
        Limit("video-retention", \.retention, "How long a video and its results stay after its end."),
        Limit(
            "video-lease", \.lease, in: .seconds(2)...(.seconds(3600)),
            "How long after its last sign of life a gateway's job may be taken over."),
        Limit("video-claim-interval", \.claimInterval, "How often a gateway looks for videos that wait."),
        Limit("video-census-interval", \.censusInterval, "How often the jobs are counted for metrics."),
        Limit("video-sweep-interval", \.sweepInterval, "How often what has expired is removed."),
        Limit(
            "video-removal-rows", \.removalRows, .count, in: 1...1_000_000,
            "Results of a removed video that one transaction removes."),
        Limit("video-retry-pause", \.retryPause, "After a mesh or database that could not be reached."),
        Limit(
            "video-longest-retry-pause", \.longestRetryPause,
            "The longest wait before a video is begun again that brought no frame."),
        Limit("video-stall", \.stallTime, "A video at work without a result for so long says what it waits for."),
        Limit("video-batch-frames", \.batchFrames, .count, in: 1...1000, "Results that are recorded together."),
        Limit("video-batch-bytes", \.batchBytes, .bytes, "Bytes of results that are recorded together."),
        Limit("video-batch-time", \.batchTime, "The longest that a result waits to be recorded."),
        Limit("video-page-frames", \.pageFrames, .count, in: 1...1000, "Results that are read together."),
        Limit("video-page-bytes", \.pageBytes, .bytes, "Bytes of results that are read together; one result more."),
        Limit(
            "max-result-readers", \.maxReaders, .count,
            "Those who go through all results of a video at one time; downloads beyond are refused."),
        Limit("video-watch-interval", \.watchInterval, "How often there is news for those who follow a video."),
        Limit(
            "video-webhook-senders", \.webhookSenders, .count, in: 1...64,
            "Receivers of videos' webhooks that are told something at one time."),
        Limit(
            "video-webhook-turn", \.webhookTurn, "How long one receiver is told things before others have their turn."),
        Limit(
            "video-webhook-shelf", \.webhookShelf, .count,
            "Webhooks of videos whose areas are remembered between their turns."),
        Limit("video-webhook-interval", \.webhookInterval, "How often there is news for webhooks of videos."),
        Limit("max-video-watchers", \.maxWatchers, .count, "Those who follow the events of videos."),
        Limit("video-keep-alive", \.keepAlive, "Between two signs of life where nothing happens."),
    ]
}
