/// What went wrong with a job or the database it is in.
package struct JobError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// There is no such job, or it was removed.
        case notFound
        /// Another gateway has the job, or it was cancelled: what the old owner says of it does not count.
        case leaseLost
        /// These are not the results that come next.
        case outOfOrder
        /// The database cannot be reached, or is busy for too long; another attempt may do.
        case unavailable
        /// The database has no room for more.
        case full
        /// Jobs would take more than they may.
        case noRoom(JobRoom.Excess)
        /// The results of one job would take more than they may.
        case tooManyResults
        /// The database was written by a newer version.
        case tooNew
        /// Something that another attempt will not make better.
        case failed
    }

    package var code: Code
    /// One line for people; may name the database, never a password.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
