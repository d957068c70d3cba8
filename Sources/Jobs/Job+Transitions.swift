extension Job {
    /// A job that was begun so often without one more frame takes gateways down, or is taken down with them.
    package static let maxFruitlessClaims: Int64 = 5

    /// No more turns come after this one if it brings no frame.
    package var isLastTurn: Bool { fruitlessClaims >= Self.maxFruitlessClaims }

    enum Claim: Equatable {
        case granted(Lease)
        /// The job failed instead: see `maxFruitlessClaims`.
        case gaveUp
        /// It is at work, or finished.
        case refused
    }

    mutating func claim(by gateway: String, now: JobTime, for duration: Duration) -> Claim {
        switch state {
        case .queued: if now < notBefore { return .refused }
        case .running: if let lease, lease.until > now { return .refused }
        case .done, .failed, .cancelled, .deleting: return .refused
        }
        // Of a gateway that died.
        countWork(until: now)
        guard fruitlessClaims < Self.maxFruitlessClaims else {
            let times = "was begun \(fruitlessClaims) times without getting past frame \(progress.framesDone)"
            end(.failed, now: now, error: waitingFor.isEmpty ? times : "\(times), and waited for \(waitingFor)")
            return .gaveUp
        }
        reservedBytes = 0
        // Of whoever had it before.
        progress.rate = 0
        state = .running
        startedAt = startedAt ?? now
        leaseNumber += 1
        fruitlessClaims += 1
        let granted = Lease(job: id, gateway: gateway, number: leaseNumber, until: now + duration)
        lease = granted
        leasedAt = now
        return .granted(granted)
    }

    /// A lease that is over is renewed too, as long as nobody else has claimed the job.
    /// - Parameter waitingFor: what no frame comes without; empty: frames come.
    /// - Returns: the lease as it is now.
    mutating func renew(
        _ lease: Lease, waitingFor: String = "", now: JobTime, for duration: Duration
    ) throws(JobError) -> Lease {
        try check(lease)
        countWork(until: now)
        wait(for: waitingFor)
        var renewed = lease
        renewed.until = now + duration
        self.lease = renewed
        return renewed
    }

    /// Gives the job back.
    mutating func release(_ lease: Lease, _ reason: JobRelease, now: JobTime, _ pauses: JobPauses) throws(JobError) {
        try check(lease)
        countWork(until: now)
        giveBack()
        switch reason {
        case .ending:
            fruitlessClaims = 0
            notBefore = now
            waitingFor = ""
        case .absent(let words):
            fruitlessClaims = max(0, fruitlessClaims - 1)
            notBefore = now + pauses.first
            waitingFor = words
        case .failed(let words):
            notBefore = now + pauses.after(fruitlessClaims)
            waitingFor = words
        }
    }

    /// Its gateway is dead. It may have died of this job: the turn counts.
    mutating func orphan(now: JobTime) {
        guard state == .running else { return }
        countWork(until: now)
        giveBack()
        notBefore = now
        waitingFor = ""
    }

    private mutating func giveBack() {
        state = .queued
        lease = nil
        leasedAt = nil
        reservedBytes = 0
        progress.rate = 0
    }

    /// - Parameter most: bytes of all results.
    /// - Returns: whether the batch is new; false: it is recorded already, and the answer to that was lost.
    /// - Throws: `leaseLost`; `outOfOrder` for results that are not the next ones; `tooManyResults`.
    mutating func append(_ batch: FrameBatch, _ lease: Lease, most: Int64 = .max) throws(JobError) -> Bool {
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
        let bytes = batch.storedBytes
        guard bytes <= most - resultBytes else {
            throw JobError(.tooManyResults, "results of \(resultBytes + bytes) bytes are more than \(most)")
        }
        resultBytes += bytes
        progress.framesDone += count
        progress.dropped += batch.dropped
        progress.partial += batch.partial
        progress.failed += batch.failed
        progress.causes.add(batch.causes)
        progress.rate = batch.rate
        waitingFor = ""
        fruitlessClaims = 0
        return true
    }

    /// The file was read to its end.
    mutating func count(damagedPackets: Int64, _ lease: Lease) throws(JobError) {
        try check(lease)
        progress.damagedPackets = damagedPackets
    }

    /// - Parameters:
    ///   - keep: how long the results stay.
    ///   - storedBytes: of the files that are kept now.
    ///   - lastTime: of the last frame, milliseconds.
    mutating func finish(
        _ lease: Lease, as state: JobState, error: String = "", storedBytes: Int64, lastTime: Int64? = nil,
        now: JobTime, keep: Duration
    ) throws(JobError) {
        try check(lease)
        countWork(until: now)
        self.storedBytes = storedBytes
        end(state, now: now, error: error)
        if state == .done {
            progress.framesTotal = progress.framesDone
            video.duration = video.duration ?? lastTime
        }
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
        storedBytes = kept
        reservedBytes = min(bytes, max(0, room - kept))
        // No more frames are analysed.
        progress.rate = 0
        return reservedBytes
    }

    /// A job that waits or is worked on does not expire, however long that takes.
    func isExpired(_ now: JobTime) -> Bool { state.isFinal && state != .deleting && expiresAt <= now }

    /// Whoever works on it has lost it. Its results take their room until they are gone.
    mutating func delete() {
        state = .deleting
        lease = nil
        storedBytes = 0
        reservedBytes = 0
    }

    /// The last results of a job that is deleted, at most `rows` of them, are to go.
    /// - Returns: the first sequence of those that go; nil: there are none, and the job itself may go.
    mutating func removePiece(rows: Int64) -> Int64? {
        guard progress.framesDone > 0 else { return nil }
        progress.framesDone = max(0, progress.framesDone - rows)
        return progress.framesDone
    }

    /// - Parameter bytes: of results that are gone, as `FrameResult.storedBytes` counts them.
    mutating func removed(bytes: Int64) { resultBytes = max(0, resultBytes - bytes) }

    private mutating func end(_ state: JobState, now: JobTime, error: String) {
        self.state = state
        self.error = error
        finishedAt = now
        // It stays as long as was meant when it was made.
        expiresAt = max(expiresAt, now + .milliseconds(expiresAt.milliseconds - createdAt.milliseconds))
        lease = nil
        leasedAt = nil
        reservedBytes = 0
        waitingFor = ""
        progress.rate = 0
    }

    /// Since it was claimed or renewed last; a clock that was set says at most the time of the lease.
    private mutating func countWork(until now: JobTime) {
        guard let lease, let leasedAt else { return }
        let most = max(0, lease.until.milliseconds - leasedAt.milliseconds)
        worked += min(max(0, now.milliseconds - leasedAt.milliseconds), most)
        self.leasedAt = now
    }

    private mutating func wait(for words: String) {
        waitingFor = words
        if !words.isEmpty { progress.rate = 0 }
    }

    private func check(_ lease: Lease) throws(JobError) {
        guard state == .running, self.lease?.number == lease.number else {
            throw JobError(.leaseLost, "job \(id) is not \(lease.gateway)'s any more (lease \(lease.number))")
        }
    }
}
