/// What jobs take: of the disk, files, room for files that are being written, and results.
package struct JobUsage: Sendable, Hashable {
    package struct Taken: Sendable, Hashable {
        package var jobs: Int64
        package var bytes: Int64

        package init(jobs: Int64 = 0, bytes: Int64 = 0) {
            self.jobs = jobs
            self.bytes = bytes
        }
    }

    /// The results of those that are deleted count until they are gone.
    package var all: Taken
    /// Of one owner.
    package var own: Taken

    package init(all: Taken, own: Taken) {
        self.all = all
        self.own = own
    }

    /// More of the owner, and so of all.
    package mutating func add(_ more: Taken) {
        all.jobs += more.jobs
        all.bytes += more.bytes
        own.jobs += more.jobs
        own.bytes += more.bytes
    }

    /// - Returns: what is too much; nil: all of it fits.
    package func excess(within room: JobRoom) -> JobRoom.Excess? {
        if all.jobs > room.all.jobs { return .jobs }
        if all.bytes > room.all.bytes { return .bytes }
        if own.jobs > room.own.jobs { return .jobsOfOwner }
        if own.bytes > room.own.bytes { return .bytesOfOwner }
        return nil
    }
}

/// What jobs may take.
package struct JobRoom: Sendable, Hashable {
    package enum Excess: Sendable, Hashable { case jobs, bytes, jobsOfOwner, bytesOfOwner }

    package var all: JobUsage.Taken
    /// Of this, what one owner may take.
    package var own: JobUsage.Taken
    /// Bytes of one job's results.
    package var results: Int64

    package static let unlimited = JobRoom(
        all: JobUsage.Taken(jobs: .max, bytes: .max), own: JobUsage.Taken(jobs: .max, bytes: .max), results: .max)

    package init(all: JobUsage.Taken, own: JobUsage.Taken, results: Int64) {
        self.all = all
        self.own = own
        self.results = results
    }

    /// The same for any number of jobs.
    var ofBytes: JobRoom {
        var room = self
        room.all.jobs = .max
        room.own.jobs = .max
        return room
    }

    /// Bytes that a job's files may have beside what all others take.
    func bytes(beside others: JobUsage) -> Int64 {
        max(0, min(all.bytes - others.all.bytes, own.bytes - others.own.bytes))
    }
}
