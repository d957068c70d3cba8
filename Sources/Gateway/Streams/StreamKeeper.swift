import Areas
import Foundation
import Jobs

/// What the database says of live streams, so that they outlast their gateway: this one has them as long as it renews its
/// lease; then any may have them.
struct StreamKeeper: Sendable {
    let store: JobStore
    /// How long a gateway that is not heard of keeps its streams.
    let lease: Duration

    init(_ store: JobStore, lease: Duration) {
        self.store = store
        self.lease = lease
    }

    private var gateway: String { store.gateway }
    private var end: JobTime { .now + lease }

    /// - Parameter request: as it came, JSON.
    func keep(_ stream: LiveStream, request: String) async throws {
        let createdAt = JobTime(milliseconds: Int64(stream.createdAt.timeIntervalSince1970 * 1000))
        try await store.create(
            StoredStream(id: stream.id, owner: stream.owner, request: request, createdAt: createdAt), by: gateway,
            until: end)
    }

    func keep(_ areas: AreaSet, of stream: LiveStream) async throws {
        try await store.setAreas(String(decoding: areas.json, as: UTF8.self), ofStream: stream.id, by: gateway)
    }

    func forget(_ id: String) async throws { try await store.removeStream(id, by: gateway) }

    /// One that no gateway has.
    /// - Parameter owner: whose it must be; nil: anybody's.
    /// - Returns: whether there was one.
    func forgetWaiting(_ id: String, of owner: String?) async throws -> Bool {
        try await store.removeWaitingStream(id, of: owner, now: .now)
    }

    /// - Returns: those that this gateway has.
    func renew() async throws -> Set<String> { try await store.renewStreams(by: gateway, until: end) }

    /// Whether there is one that no gateway has.
    func hasWaiting() async throws -> Bool { try await store.hasWaitingStream(now: .now) }

    /// One that no gateway has; it is ours from now on.
    func claim() async throws -> StoredStream? { try await store.claimStream(by: gateway, now: .now, until: end) }

    func release(_ id: String) async throws { try await store.releaseStreams(id, by: gateway) }

    func releaseAll() async throws { try await store.releaseStreams(by: gateway) }
}
