import HTTPTypes
import Jobs
import Synchronization

/// Keeps uploads within what the disk is for. Counts what the store knows, and what is still on its way to this gateway;
/// others that share the store may go beyond the limit by what is on its way to them.
final class UploadQuota: Sendable {
    private struct State {
        var uploads = 0
        var bytes: Int64 = 0
    }

    private let limits: VideoJobLimits
    private let store: JobStore
    private let state = Mutex(State())

    init(_ limits: VideoJobLimits, _ store: JobStore) {
        self.limits = limits
        self.store = store
    }

    /// For one upload; end it with `end`.
    /// - Parameter bytes: that are expected.
    /// - Throws: `Problem`: 429 if there are too many at one time, 507 if there is no room.
    func begin(_ bytes: Int) async throws -> Reservation {
        let isTaken = state.withLock { state in
            guard state.uploads < limits.maxUploads else { return false }
            state.uploads += 1
            return true
        }
        guard isTaken else {
            throw Problem(
                .tooManyRequests, "\(limits.maxUploads) videos are on their way already",
                limit: ("max-uploads", "\(limits.maxUploads)")
            ).retry(after: .seconds(1))
        }
        let reservation = Reservation(quota: self)
        do {
            try await reservation.reserve(Int64(bytes))
            return reservation
        } catch {
            reservation.end()
            throw error
        }
    }

    final class Reservation: Sendable {
        private let quota: UploadQuota
        /// nil: has ended.
        private let bytes = Mutex<Int64?>(0)

        fileprivate init(quota: UploadQuota) { self.quota = quota }

        /// Asks the store once in so many bytes, where the size is not known beforehand.
        private static let step: Int64 = 16 << 20

        /// Makes sure that there is room for `count` bytes in all.
        func reserve(upTo count: Int64) async throws {
            let missing = count - (bytes.withLock { $0 } ?? 0)
            if missing > 0 { try await reserve(max(missing, min(Self.step, Int64(quota.limits.maxVideoBytes)))) }
        }

        fileprivate func reserve(_ more: Int64) async throws {
            try await quota.reserve(more)
            bytes.withLock { $0 = ($0 ?? 0) + more }
        }

        func end() {
            guard let bytes = bytes.withLock({ $0.take() }) else { return }
            quota.state.withLock { state in
                state.uploads -= 1
                state.bytes -= bytes
            }
        }
    }

    private func reserve(_ bytes: Int64) async throws {
        // First what is on its way, then the store: an upload that ends in between counts twice, not never.
        let onTheirWay = state.withLock { state in
            state.bytes += bytes
            return state.bytes
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
            state.withLock { $0.bytes -= bytes }
            throw error
        }
    }
}
