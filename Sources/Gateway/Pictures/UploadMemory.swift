import HTTPTypes
import Synchronization

/// What the pictures of all requests may take of memory.
final class UploadMemory: Sendable {
    private let limit: Int
    private let used = Mutex(0)

    init(limit: Int) { self.limit = limit }

    var usedBytes: Int { used.withLock { $0 } }

    func lease() -> Lease { Lease(self) }

    /// What one request has taken; given back when the last reference goes.
    final class Lease: Sendable {
        private let memory: UploadMemory
        private let bytes = Mutex(0)

        fileprivate init(_ memory: UploadMemory) { self.memory = memory }

        deinit { memory.giveBack(bytes.withLock { $0 }) }

        /// - Throws: `Problem`, 429, where others have taken it all.
        func add(_ count: Int) throws {
            try memory.take(count)
            bytes.withLock { $0 += count }
        }
    }

    private func take(_ count: Int) throws {
        let isThere = used.withLock { used in
            guard used + count <= limit else { return false }
            used += count
            return true
        }
        guard isThere else {
            throw Problem(
                .tooManyRequests, "pictures of other requests take all memory there is for them",
                limit: ("max-upload-memory", "\(limit)")
            ).retry(after: .seconds(1))
        }
    }

    private func giveBack(_ count: Int) { used.withLock { $0 -= count } }
}
