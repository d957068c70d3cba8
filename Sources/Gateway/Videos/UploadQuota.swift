import HTTPTypes
import Jobs
import Synchronization

/// Keeps uploads within what the disk is for. Counts what the store knows, and what is still on its way to this gateway;
/// others that share the store may go beyond the limit by what is on its way to them.
final class UploadQuota: Sendable {
    private let limits: VideoJobLimits
    private let store: JobStore
    private let uploads: Places
    /// On their way.
    private let bytes = Mutex<Int64>(0)

    /// - Parameter share: of the uploads, what one caller may have at one time.
    init(_ limits: VideoJobLimits, _ store: JobStore, share: Double) {
        self.limits = limits
        self.store = store
        uploads = Places(limits.maxUploads, "max-uploads", of: "videos on their way", share: share)
    }

    var uploadsInFlight: Int { uploads.taken }

    /// For one upload; end it with `end`.
    /// - Parameter bytes: that are expected.
    /// - Throws: `Problem`: 429 if there are too many at one time, 507 if there is no room.
    func begin(_ bytes: Int, for caller: Caller.Key) async throws -> Reservation {
        let reservation = Reservation(quota: self, place: try uploads.take(for: caller))
        do {
            try await reservation.reserve(Int64(bytes))
            return reservation
        } catch {
            reservation.end()
            throw error
        }
    }

    /// Bytes that a job's files may have so that all stay within the limit, and uploads on their way still fit.
    var roomForJobs: Int64 { Int64(limits.maxStoredBytes) - bytes.withLock { $0 } }

    final class Reservation: Sendable {
        private let quota: UploadQuota
        /// nil: has ended.
        private let held: Mutex<(place: Places.Place, bytes: Int64)?>

        fileprivate init(quota: UploadQuota, place: Places.Place) {
            self.quota = quota
            held = Mutex((place, 0))
        }

        /// Asks the store once in so many bytes, where the size is not known beforehand.
        private static let step: Int64 = 16 << 20

        /// Makes sure that there is room for `count` bytes in all.
        func reserve(upTo count: Int64) async throws {
            let missing = count - (held.withLock { $0?.bytes } ?? 0)
            if missing > 0 { try await reserve(max(missing, min(Self.step, Int64(quota.limits.maxVideoBytes)))) }
        }

        fileprivate func reserve(_ more: Int64) async throws {
            try await quota.reserve(more)
            held.withLock { $0?.bytes += more }
        }

        func end() {
            guard let held = held.withLock({ $0.take() }) else { return }
            quota.bytes.withLock { $0 -= held.bytes }
        }
    }

    private func reserve(_ bytes: Int64) async throws {
        // First what is on its way, then the store: an upload that ends in between counts twice, not never.
        let onTheirWay = self.bytes.withLock { all in
            all += bytes
            return all
        }
        do {
            let usage = try await store.usage()
            guard usage.jobs < limits.maxJobs else {
                throw Problem(
                    .insufficientStorage, "\(limits.maxJobs) videos are kept already; remove some or wait",
                    limit: ("max-video-jobs", "\(limits.maxJobs)"))
            }
            guard usage.bytes + onTheirWay <= Int64(limits.maxStoredBytes) else {
                throw Problem(
                    .insufficientStorage, "there is no room for more videos; remove some or wait",
                    limit: ("max-stored-bytes", "\(limits.maxStoredBytes)"))
            }
        } catch {
            self.bytes.withLock { $0 -= bytes }
            throw error
        }
    }
}
