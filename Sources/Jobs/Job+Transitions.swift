extension Job {
    /// A job that was begun so often without one more frame takes gateways down, or is taken down with them.
    package static let maxFruitlessClaims: Int64 = 5

    enum Claim: Equatable {
        case granted(Lease)
        /// The job failed instead: see `maxFruitlessClaims`.
        case gaveUp
        /// It is at work, or finished.
        case refused
    }

    mutating func claim(by gateway: String, now: JobTime, for duration: Duration) -> Claim {
        switch state {
        case .queued: break
        case .running: if let lease, lease.until > now { return .refused }
        case .done, .failed, .cancelled, .deleting: return .refused
        }
        guard fruitlessClaims < Self.maxFruitlessClaims else {
            end(
                .failed, now: now,
                error: "was begun \(fruitlessClaims) times without getting past frame \(progress.framesDone)")
            return .gaveUp
        }
        state = .running
        startedAt = startedAt ?? now
        leaseNumber += 1
        fruitlessClaims += 1
        let granted = Lease(job: id, gateway: gateway, number: leaseNumber, until: now + duration)
        lease = granted
        return .granted(granted)
    }

    /// A lease that is over is renewed too, as long as nobody else has claimed the job.
    /// - Returns: the lease as it is now.
    mutating func renew(_ lease: Lease, now: JobTime, for duration: Duration) throws(JobError) -> Lease {
        try check(lease)
        // Since it was claimed or renewed last; a clock that was set says at most the time of a lease.
        let span = duration.wholeMilliseconds
        if let until = self.lease?.until.milliseconds {
            worked += min(max(0, now.milliseconds - (until - span)), span)
        }
        var renewed = lease
        renewed.until = now + duration
        self.lease = renewed
        return renewed
    }

    /// Gives the job back, as a gateway does that stops.
    mutating func release(_ lease: Lease) throws(JobError) {
        try check(lease)
        state = .queued
        self.lease = nil
        fruitlessClaims = 0
    }

    /// - Returns: whether the batch is new; false: it is recorded already, and the answer to that was lost.
    /// - Throws: `leaseLost`; `outOfOrder` for results that are not the next ones.
    mutating func append(_ batch: FrameBatch, _ lease: Lease) throws(JobError) -> Bool {
        try check(lease)
        guard let first = batch.results.first?.sequence else { return false }
        let count = Int64(batch.results.count)
        for (result, sequence) in zip(batch.results, first...) where result.sequence != sequence {
            throw JobError(.outOfOrder, "frame \(result.sequence) stands where frame \(sequence) should")
        }
        if first + count == progress.framesDone { return false }
        guard first == progress.framesDone else {
            throw JobError(
                .outOfOrder, "frames \(first)..<\(first + count) came when frame \(progress.framesDone) was the next")
        }
        progress.framesDone += count
        progress.dropped += batch.dropped
        progress.failed += batch.failed
        progress.rate = batch.rate
        fruitlessClaims = 0
        return true
    }

    /// - Parameters:
    ///   - keep: how long the results stay.
    ///   - storedBytes: of the files that are kept now.
    mutating func finish(
        _ lease: Lease, as state: JobState, error: String = "", storedBytes: Int64, now: JobTime, keep: Duration
    ) throws(JobError) {
        try check(lease)
        self.storedBytes = storedBytes
        end(state, now: now, error: error)
        if state == .done { progress.framesTotal = progress.framesDone }
        expiresAt = now + keep
    }

    /// - Returns: whether there was something to cancel.
    mutating func cancel(now: JobTime) -> Bool {
        if state.isFinal { return false }
        end(.cancelled, now: now, error: "")
        return true
    }

    /// Room for files that are about to be written.
    /// - Parameters:
    ///   - bytes: that may become as many.
    ///   - kept: of the files that are there.
    ///   - room: for all files of this job.
    /// - Returns: the bytes that may be written, at most `bytes`.
    mutating func reserve(_ bytes: Int64, beside kept: Int64, within room: Int64, _ lease: Lease) throws(JobError)
        -> Int64
    {
        try check(lease)
        let granted = min(bytes, max(0, room - kept))
        storedBytes = kept + granted
        return granted
    }

    /// A job that waits or is worked on does not expire, however long that takes.
    func isExpired(_ now: JobTime) -> Bool { state.isFinal && state != .deleting && expiresAt <= now }

    /// Whoever works on it has lost it.
    mutating func delete() {
        state = .deleting
        lease = nil
    }

    /// The last results of a job that is deleted, at most `rows` of them, are to go.
    /// - Returns: the first sequence of those that go; nil: there are none, and the job itself may go.
    mutating func removePiece(rows: Int64) -> Int64? {
        guard progress.framesDone > 0 else { return nil }
        progress.framesDone = max(0, progress.framesDone - rows)
        return progress.framesDone
    }

    private mutating func end(_ state: JobState, now: JobTime, error: String) {
        self.state = state
        self.error = error
        finishedAt = now
        // As long as was meant when it was made.
        expiresAt = max(expiresAt, now + .milliseconds(expiresAt.milliseconds - createdAt.milliseconds))
        lease = nil
        progress.rate = 0
    }

    private func check(_ lease: Lease) throws(JobError) {
        guard state == .running, self.lease?.number == lease.number else {
            throw JobError(.leaseLost, "job \(id) is not \(lease.gateway)'s any more (lease \(lease.number))")
        }
    }
}
