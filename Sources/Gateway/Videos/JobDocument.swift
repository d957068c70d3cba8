import Jobs
import Outbound
import Results

extension JSONText {
    /// A job as lists tell it. Times are RFC 3339, UTC; what is not known is left out.
    /// - Parameter showingOwner: to those who see jobs of others.
    mutating func add(_ job: Job, showingOwner: Bool = false) {
        object { json in json.fields(of: job, showingOwner: showingOwner) }
    }

    mutating func fields(of job: Job, showingOwner: Bool = false) {
        field("id", job.id.text)
        field("name", job.name)
        field("state", job.state.rawValue)
        if job.state == .running { field("phase", job.isAnnotating ? "annotating" : "analysing") }
        if !job.error.isEmpty { field("error", job.error.onOneLine) }
        if !job.waitingFor.isEmpty { field("waiting_for", job.waitingFor.onOneLine) }
        if showingOwner { field("owner", job.owner) }
        field("pipeline", job.request.pipeline)
        if job.request.minConfidence > 0 { field("min_confidence", job.request.minConfidence, decimals: 4) }
        field("annotate", job.request.annotate)
        field("created_at", job.createdAt.text)
        if let time = job.startedAt { field("started_at", time.text) }
        if let time = job.finishedAt { field("finished_at", time.text) }
        // What is still to be done does not expire.
        if job.state.isFinal { field("expires_at", job.expiresAt.text) }
        field("stored_bytes", job.storedBytes + job.resultBytes)
        object("video") { json in
            json.field("width", job.video.width)
            json.field("height", job.video.height)
            if job.video.frameRate > 0 { json.field("frame_rate", job.video.frameRate, decimals: 3) }
            if let time = job.video.duration { json.field("duration", Double(time) / 1000, decimals: 3) }
        }
        object("progress") { json in
            json.field("frames_done", job.progress.framesDone)
            if let total = job.progress.framesTotal { json.field("frames_total", total) }
            if let fraction = job.progress.fraction { json.field("fraction", fraction, decimals: 4) }
            json.field("rate", job.progress.rate, decimals: 2)
            if job.state == .running, let left = job.progress.secondsLeft {
                json.field("eta_seconds", left, decimals: 1)
            }
            json.field("partial", job.progress.partial)
            json.field("dropped", job.progress.dropped)
            json.field("failed", job.progress.failed)
            if job.progress.damagedPackets > 0 { json.field("damaged_packets", job.progress.damagedPackets) }
        }
        if !job.progress.causes.list.isEmpty {
            array("failures", job.progress.causes.list) { json, cause in
                json.object { json in
                    json.field("cause", cause.words)
                    json.field("frames", cause.frames)
                }
            }
        }
    }

    /// Those who are told of a job, and what became of that; nothing if there are none.
    mutating func webhooks(_ webhooks: [JobWebhook]) {
        guard !webhooks.isEmpty else { return }
        array("webhooks", webhooks) { json, webhook in
            json.object { json in
                json.field("url", webhook.shownURL)
                json.field("delivered", webhook.delivered)
                json.field("failed", webhook.failed)
                json.field("dropped", webhook.dropped)
                if !webhook.cause.isEmpty { json.field("cause", webhook.cause) }
            }
        }
    }
}

extension JobWebhook {
    /// For its owner: without user and password.
    fileprivate var shownURL: String { (try? OutboundURL(url, ports: StreamSpecification.webhookPorts))?.shown ?? "" }
}
