extension Job {
    /// In the order of `init(_:)` and `values`; the first is the key.
    static let columns = [
        "id", "owner", "name", "pipeline", "min_confidence", "annotate", "areas", "created_at", "started_at",
        "finished_at", "expires_at", "stored_bytes", "state", "error", "width", "height", "frame_rate", "frames_done",
        "frames_total", "dropped", "failed", "rate", "lease_gateway", "lease_number", "lease_until", "fruitless_claims",
        "worked_ms", "reserved_bytes", "result_bytes", "waiting_for", "not_before", "leased_at", "causes",
        "partial_frames", "damaged_packets", "duration_ms",
    ]

    var values: [SQLValue] {
        [
            .text(id.text), .text(owner), .text(name), .text(request.pipeline), .real(request.minConfidence),
            .integer(request.annotate ? 1 : 0), .text(request.areas), .integer(createdAt.milliseconds),
            SQLValue(startedAt?.milliseconds), SQLValue(finishedAt?.milliseconds), .integer(expiresAt.milliseconds),
            .integer(storedBytes), .text(state.rawValue), .text(error), .integer(video.width), .integer(video.height),
            .real(video.frameRate), .integer(progress.framesDone), SQLValue(progress.framesTotal),
            .integer(progress.dropped), .integer(progress.failed), .real(progress.rate), .text(lease?.gateway ?? ""),
            .integer(leaseNumber), SQLValue(lease?.until.milliseconds), .integer(fruitlessClaims),
            .integer(worked), .integer(reservedBytes), .integer(resultBytes), .text(waitingFor),
            .integer(notBefore.milliseconds), SQLValue(leasedAt?.milliseconds), .text(progress.causes.text),
            .integer(progress.partial), .integer(progress.damagedPackets), SQLValue(video.duration),
        ]
    }

    init(_ row: SQLRow) throws(JobError) {
        var row = row
        let id = try row.jobID()
        self.id = id
        owner = try row.text()
        name = try row.text()
        request = Request(
            pipeline: try row.text(), minConfidence: try row.real(), annotate: try row.integer() != 0,
            areas: try row.text())
        createdAt = JobTime(milliseconds: try row.integer())
        startedAt = try row.optionalInteger().map(JobTime.init)
        finishedAt = try row.optionalInteger().map(JobTime.init)
        expiresAt = JobTime(milliseconds: try row.integer())
        storedBytes = try row.integer()
        let state = try row.text()
        guard let known = JobState(rawValue: state) else { throw JobError(.failed, "'\(state)' is not a job's state") }
        self.state = known
        error = try row.text()
        video = Video(width: try row.integer(), height: try row.integer(), frameRate: try row.real())
        progress.framesDone = try row.integer()
        progress.framesTotal = try row.optionalInteger()
        progress.dropped = try row.integer()
        progress.failed = try row.integer()
        progress.rate = try row.real()
        let gateway = try row.text()
        leaseNumber = try row.integer()
        if let until = try row.optionalInteger() {
            lease = Lease(job: id, gateway: gateway, number: leaseNumber, until: JobTime(milliseconds: until))
        }
        fruitlessClaims = try row.integer()
        worked = try row.integer()
        reservedBytes = try row.integer()
        resultBytes = try row.integer()
        waitingFor = try row.text()
        notBefore = JobTime(milliseconds: try row.integer())
        leasedAt = try row.optionalInteger().map(JobTime.init)
        progress.causes = FrameCauses(text: try row.text())
        progress.partial = try row.integer()
        progress.damagedPackets = try row.integer()
        video.duration = try row.optionalInteger()
    }
}
