import Jobs
import Results

extension JSONText {
    /// A job as `GET /v1/videos/{id}` tells it. Times are RFC 3339, UTC; what is not known is left out.
    /// - Parameter showingOwner: to those who see jobs of others.
    mutating func add(_ job: Job, showingOwner: Bool = false) {
        object { json in json.fields(of: job, showingOwner: showingOwner) }
    }

    mutating func fields(of job: Job, showingOwner: Bool = false) {
        field("id", job.id.text)
        field("name", job.name)
        field("state", job.state.rawValue)
        if !job.error.isEmpty { field("error", job.error.onOneLine) }
        if showingOwner { field("owner", job.owner) }
        field("pipeline", job.request.pipeline)
        if job.request.minConfidence > 0 { field("min_confidence", job.request.minConfidence, decimals: 4) }
        field("annotate", job.request.annotate)
        field("created_at", job.createdAt.text)
        if let time = job.startedAt { field("started_at", time.text) }
        if let time = job.finishedAt { field("finished_at", time.text) }
        field("expires_at", job.expiresAt.text)
        object("video") { json in
            json.field("width", job.video.width)
            json.field("height", job.video.height)
            if job.video.frameRate > 0 { json.field("frame_rate", job.video.frameRate, decimals: 3) }
            if let duration = job.duration { json.field("duration", duration, decimals: 3) }
        }
        object("progress") { json in
            json.field("frames_done", job.progress.framesDone)
            if let total = job.progress.framesTotal { json.field("frames_total", total) }
            if let fraction = job.progress.fraction { json.field("fraction", fraction, decimals: 4) }
            json.field("rate", job.progress.rate, decimals: 2)
            if job.state == .running, let left = job.progress.secondsLeft {
                json.field("eta_seconds", left, decimals: 1)
            }
            json.field("dropped", job.progress.dropped)
            json.field("failed", job.progress.failed)
        }
    }
}

extension Job {
    /// Seconds; nil where the file does not say.
    var duration: Double? {
        guard video.frameRate > 0, let frames = progress.framesTotal else { return nil }
        return Double(frames) / video.frameRate
    }
}
