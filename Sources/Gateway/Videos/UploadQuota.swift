import HTTPTypes
import Jobs
import RPC
import Synchronization

/// Keeps videos within what there is for them. Counts what the store knows, and what is still on its way to this gateway;
/// what comes to others that share the store is looked at once more when a job is made of it.
final class UploadQuota: Sendable {
    private struct Tally {
        var bytes: Int64 = 0
        /// Of these, what is sure to come and not on the disk yet.
        var unwritten: Int64 = 0
        var ofOwner: [String: Int64] = [:]

        mutating func add(_ more: Int64, unwritten: Int64, of owner: String) {
            bytes += more
            self.unwritten += unwritten
            let all = ofOwner[owner, default: 0] + more
            ofOwner[owner] = all > 0 ? all : nil
        }
    }

    private struct OnTheWay {
        /// Granted, or about to be looked at: of two that ask at one time only one gets the rest.
        var asked = Tally()
        /// What is refused takes no room from jobs meanwhile.
        var granted = Tally()
    }

    private let limits: VideoJobLimits
    private let store: JobStore
    private let folder: VideoFolder
    private let share: Places.Share
    private let uploads: Places
    private let onTheWay = Mutex(OnTheWay())

    /// - Parameter share: of the uploads and of what is stored, what one caller may have.
    init(_ limits: VideoJobLimits, _ store: JobStore, _ folder: VideoFolder, share: Double) {
        self.limits = limits
        self.store = store
        self.folder = folder
        self.share = Places.Share(part: share)
        uploads = Places(limits.maxUploads, "max-uploads", of: "videos on their way", share: share)
    }

    var uploadsInFlight: Int { uploads.taken }

    /// For one upload; end it with `end`.
    /// - Parameter bytes: that are expected.
    /// - Throws: `Problem`: 429 if there are too many at one time, 507 if there is no room.
    func begin(_ bytes: Int, for caller: Caller) async throws -> Reservation {
        let reservation = Reservation(quota: self, owner: caller.owner, place: try uploads.take(for: caller.key))
        do {
            try await reservation.reserve(Int64(bytes), needing: Int64(bytes))
            return reservation
        } catch {
            reservation.end()
            throw error
        }
    }

    /// For all that is stored, of all and of one owner. Callers without a name are not told apart: they share all of it.
    func room(of owner: String) -> JobRoom {
        let all = JobUsage.Taken(jobs: Int64(limits.maxJobs), bytes: Int64(limits.maxStoredBytes))
        var own = all
        if !owner.isEmpty {
            own.jobs = Int64(share.places(of: limits.maxJobs))
            own.bytes = Int64(share.places(of: limits.maxStoredBytes))
        }
        return JobRoom(all: all, own: own, results: Int64(limits.maxResultBytes))
    }

    /// The same for what a job writes: uploads on their way still fit beside it.
    func roomForJobs(of owner: String) -> JobRoom {
        var room = room(of: owner)
        onTheWay.withLock { onTheWay in
            room.all.bytes -= onTheWay.granted.bytes
            room.own.bytes -= onTheWay.granted.ofOwner[owner, default: 0]
        }
        return room
    }

    /// Of the disk, what a job may write beside uploads on their way.
    func freeBytesForJobs() async -> Int64 {
        let unwritten = onTheWay.withLock { $0.granted.unwritten }
        return max(0, await folder.freeBytes() - Int64(limits.minFreeBytes) - unwritten)
    }

    final class Reservation: Sendable {
        private let quota: UploadQuota
        private let owner: String
        /// nil: has ended.
        private let held: Mutex<(place: Places.Place, bytes: Int64, unwritten: Int64)?>

        fileprivate init(quota: UploadQuota, owner: String, place: Places.Place) {
            self.quota = quota
            self.owner = owner
            held = Mutex((place, 0, 0))
        }

        /// Asks the store once in so many bytes, where the size is not known beforehand.
        private static let step: Int64 = 16 << 20

        /// Makes sure that there is room for `count` bytes in all.
        func reserve(upTo count: Int64) async throws {
            let missing = count - (held.withLock { $0?.bytes } ?? 0)
            guard missing > 0 else { return }
            try await reserve(max(missing, min(Self.step, Int64(quota.limits.maxVideoBytes))), needing: missing)
        }

        /// - Parameter needed: of `more`, what comes for sure.
        fileprivate func reserve(_ more: Int64, needing needed: Int64) async throws {
            try await quota.reserve(more, needing: needed, of: owner)
            held.withLock { held in
                held?.bytes += more
                held?.unwritten += needed
            }
        }

        /// Some of it is on the disk.
        func wrote(_ count: Int64) {
            let written = held.withLock { held in
                let written = min(count, held?.unwritten ?? 0)
                held?.unwritten -= written
                return written
            }
            quota.add(0, unwritten: -written, of: owner)
        }

        func end() {
            guard let held = held.withLock({ $0.take() }) else { return }
            quota.add(-held.bytes, unwritten: -held.unwritten, of: owner)
        }
    }

    /// To what was granted.
    private func add(_ more: Int64, unwritten: Int64, of owner: String) {
        onTheWay.withLock { onTheWay in
            onTheWay.asked.add(more, unwritten: unwritten, of: owner)
            onTheWay.granted.add(more, unwritten: unwritten, of: owner)
        }
    }

    private func reserve(_ bytes: Int64, needing needed: Int64, of owner: String) async throws {
        // First what is on its way, then the store: an upload that ends in between counts twice, not never.
        let (all, own, unwritten) = onTheWay.withLock { onTheWay in
            onTheWay.asked.add(bytes, unwritten: needed, of: owner)
            let asked = onTheWay.asked
            return (asked.bytes, asked.ofOwner[owner, default: 0], asked.unwritten)
        }
        do {
            var usage = try await store.usage(of: owner)
            usage.add(JobUsage.Taken(jobs: 1))
            usage.all.bytes += all
            usage.own.bytes += own
            if let excess = usage.excess(within: room(of: owner)) { throw problem(excess) }
            guard await folder.freeBytes() - Int64(limits.minFreeBytes) >= unwritten else {
                throw Problem(
                    .insufficientStorage, "there is no room on the disk for more videos; remove some or wait",
                    limit: ("min-free-bytes", Double(limits.minFreeBytes)))
            }
        } catch {
            onTheWay.withLock { $0.asked.add(-bytes, unwritten: -needed, of: owner) }
            throw error
        }
        onTheWay.withLock { $0.granted.add(bytes, unwritten: needed, of: owner) }
    }

    func problem(_ excess: JobRoom.Excess) -> Problem {
        let words =
            switch excess {
            case .jobs: "\(limits.maxJobs) videos are kept already"
            case .bytes: "there is no room for more videos"
            case .jobsOfOwner:
                "you have \(share.places(of: limits.maxJobs)) videos, which is all that one caller may have"
            case .bytesOfOwner: "your videos take all the room that one caller may have"
            }
        let value =
            switch excess {
            case .jobs: Double(limits.maxJobs)
            case .bytes: Double(limits.maxStoredBytes)
            case .jobsOfOwner, .bytesOfOwner: share.part
            }
        return Problem(.insufficientStorage, "\(words); remove some or wait", limit: (excess.limitName, value))
    }
}

extension JobRoom.Excess {
    /// By which a flag sets it.
    var limitName: String {
        switch self {
        case .jobs: "max-video-jobs"
        case .bytes: "max-stored-bytes"
        case .jobsOfOwner, .bytesOfOwner: Places.Share.name
        }
    }
}
