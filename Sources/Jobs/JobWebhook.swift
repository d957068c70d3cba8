/// Somebody who is told of a job by POST, and what of it was told: a cursor in the results, so that nothing is lost with
/// a gateway. What became of it stays with the job.
///
/// Whoever tells has a lease for so long, as for the job itself; what is told twice has the same delivery id.
package struct JobWebhook: Sendable, Hashable {
    package let job: JobID
    /// From 0, in the order in which the job's maker named them.
    package let number: Int64
    package let url: String
    /// What is wanted, in the gateway's words.
    package let topics: String
    /// Frames of which all is told.
    package var framesTold: Int64
    /// Of what happened in the next frame, or of the last words behind all frames.
    package var eventsTold: Int64 = 0
    /// Attempts of the next delivery.
    package var failures: Int64 = 0
    /// What happens in frames is not wanted.
    package let isForEnd: Bool
    /// It did not take a delivery as often as it was tried: it is spared all but the end of the job.
    package var isGivenUp = false
    /// Deliveries that were taken.
    package var delivered: Int64 = 0
    /// That were not.
    package var failed: Int64 = 0
    /// That were not tried, since it was given up.
    package var dropped: Int64 = 0
    /// Why the last delivery failed, in plain words; empty: none did.
    package var cause = ""
    /// Nothing is told before.
    package var dueAt: JobTime
    package private(set) var leaseNumber: Int64 = 0
    private(set) var leaseUntil: JobTime?

    package init(job: JobID, number: Int64, url: String, topics: String, isForEnd: Bool, dueAt: JobTime) {
        self.job = job
        self.number = number
        self.url = url
        self.topics = topics
        framesTold = 0
        self.isForEnd = isForEnd
        self.dueAt = dueAt
    }

    /// All is told, or given up.
    package mutating func end() { dueAt = Self.never }

    private static let never = JobTime(milliseconds: .max)

    mutating func claim(until: JobTime) {
        leaseNumber += 1
        leaseUntil = until
    }

    /// - Parameter until: nil: anybody may go on.
    mutating func hold(until: JobTime?) { leaseUntil = until }

    static let columns = [
        "job", "number", "url", "topics", "frames_told", "events_told", "failures", "is_for_end", "due_at",
        "lease_number", "lease_until", "delivered", "failed", "dropped", "is_given_up", "cause",
    ]

    var values: [SQLValue] {
        [
            .text(job.text), .integer(number), .text(url), .text(topics), .integer(framesTold), .integer(eventsTold),
            .integer(failures), .integer(isForEnd ? 1 : 0), .integer(dueAt.milliseconds), .integer(leaseNumber),
            SQLValue(leaseUntil?.milliseconds), .integer(delivered), .integer(failed), .integer(dropped),
            .integer(isGivenUp ? 1 : 0), .text(cause),
        ]
    }

    init(_ row: SQLRow) throws(JobError) {
        var row = row
        job = try row.jobID()
        number = try row.integer()
        url = try row.text()
        topics = try row.text()
        framesTold = try row.integer()
        eventsTold = try row.integer()
        failures = try row.integer()
        isForEnd = try row.integer() != 0
        dueAt = JobTime(milliseconds: try row.integer())
        leaseNumber = try row.integer()
        leaseUntil = try row.optionalInteger().map(JobTime.init)
        delivered = try row.integer()
        failed = try row.integer()
        dropped = try row.integer()
        isGivenUp = try row.integer() != 0
        cause = try row.text()
    }
}
