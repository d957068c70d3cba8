/// The right to work on a job until a certain time.
///
/// Each claim has a higher `number` than the one before. The store takes what an owner says of a job only under the number
/// that is in force, so that an owner which slept through its time (a stopped process, a clock that is wrong) does no harm.
package struct Lease: Sendable, Hashable {
    package var job: JobID
    package var gateway: String
    package var number: Int64
    package var until: JobTime

    package init(job: JobID, gateway: String, number: Int64, until: JobTime) {
        self.job = job
        self.gateway = gateway
        self.number = number
        self.until = until
    }
}
