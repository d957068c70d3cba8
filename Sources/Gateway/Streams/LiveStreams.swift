import Areas
import Client
import Foundation
import HTTPTypes
import Jobs
import Logging
import Messages
import NIOCore
import RPC
import ServiceLifecycle
import Synchronization

/// The live streams of a gateway, which run as long as `run()` does, and in its next life again.
package final class LiveStreams: Service {
    private struct State {
        var streams: [String: LiveStream] = [:]
        /// Those that the database knows as ours.
        var kept: Set<String> = []
        /// Those that it need not know any more.
        var ended: Set<String> = []
        /// Those that ended here because the database was away, and are for whoever can.
        var letGo: Set<String> = []
        var isOver = false
    }

    let rules: StreamRules
    private let places: Places
    private let metrics: StreamMetrics
    private let keeper: StreamKeeper?
    private let logger: Logger
    private let pipeline: @Sendable (String) async throws -> PipelineDescription
    private let client: @Sendable () async throws -> MeshClient
    private let state = Mutex(State())
    private let started = AsyncStream<LiveStream>.makeStream()

    /// - Parameters:
    ///   - places: for all who look on.
    ///   - keeper: nil: no stream outlasts this gateway.
    ///   - pipeline: by its name.
    ///   - client: of the mesh; waits for one.
    init(
        _ rules: StreamRules, places: Places, metrics: StreamMetrics, keeper: StreamKeeper?, logger: Logger,
        pipeline: @escaping @Sendable (String) async throws -> PipelineDescription,
        client: @escaping @Sendable () async throws -> MeshClient
    ) {
        self.rules = rules
        self.places = places
        self.metrics = metrics
        self.keeper = keeper
        self.logger = logger
        self.pipeline = pipeline
        self.client = client
    }

    // MARK: Life

    /// Until the task is cancelled or the gateway shuts down; all streams have ended by then.
    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.runAll() }
    }

    private func runAll() async {
        await withDiscardingTaskGroup { tasks in
            if let keeper { tasks.addTask { await self.keep(with: keeper) } }
            for await stream in started.stream {
                tasks.addTask { await self.run(stream) }
            }
            tasks.cancelAll()
        }
        let rest = state.withLock { state in
            state.isOver = true
            defer { state.streams = [:] }
            return state.streams.values
        }
        for stream in rest { stream.stop() }
        guard let keeper else { return }
        do {
            // Also where the task is cancelled. If it fails, the lease runs out instead.
            try await Task {
                try await self.forgetEnded(with: keeper)
                try await keeper.releaseAll()
            }.value
        } catch {
            logger.notice("live streams are left to their lease", metadata: ["cause": "\(SystemError.forLog(error))"])
        }
    }

    private func run(_ stream: LiveStream) async {
        await stream.run(client: client)
        let isShown = state.withLock { state in
            guard state.streams[stream.id] === stream else { return false }
            // It is the stream that has ended, not the gateway.
            if !Task.isCancelled, keeper != nil { state.ended.insert(stream.id) }
            return true
        }
        guard isShown else { return }
        // To be seen for a while: why it failed.
        try? await Task.sleep(for: rules.limits.remembered)
        state.withLock { state in
            if state.streams[stream.id] === stream { state.streams[stream.id] = nil }
        }
    }

    // MARK: In the database

    private func keep(with keeper: StreamKeeper) async {
        var trouble = ""
        var heldUntil = ContinuousClock.now + keeper.lease
        while !Task.isCancelled {
            do {
                let begin = ContinuousClock.now
                try await renew(with: keeper)
                heldUntil = begin + keeper.lease
                try await goOn(with: keeper)
                trouble = ""
            } catch {
                let cause = (error as? Problem).map { "\($0.detail)" } ?? SystemError.forLog(error)
                if !Task.isCancelled, cause != trouble {
                    logger.notice("kept live streams wait", metadata: ["cause": "\(cause)"])
                }
                trouble = cause
                if heldUntil < .now { letGo() }
            }
            try? await Task.sleep(for: keeper.lease / 3)
        }
    }

    private func forgetEnded(with keeper: StreamKeeper) async throws {
        for id in state.withLock({ $0.ended }) {
            try await keeper.forget(id)
            state.withLock { state in
                state.ended.remove(id)
                state.kept.remove(id)
            }
        }
    }

    private func renew(with keeper: StreamKeeper) async throws {
        try await forgetEnded(with: keeper)
        let before = state.withLock { $0.kept }
        let ours = try await keeper.renew()
        let (lost, unknown, letGo) = state.withLock { state in
            defer { state.letGo = [] }
            return (before.subtracting(ours), ours.subtracting(state.streams.keys), state.letGo)
        }
        for id in unknown {
            // What is not let go was never begun: who wanted it was told that the database does not answer.
            if letGo.contains(id) { try await keeper.release(id) } else { try await keeper.forget(id) }
        }
        for id in lost {
            let stream = state.withLock { state in
                state.kept.remove(id)
                return state.streams.removeValue(forKey: id)
            }
            // One that was removed meanwhile is nobody's.
            guard let stream else { continue }
            logger.warning("a live stream is another gateway's by now", metadata: ["stream": "\(id)"])
            stream.stop()
        }
    }

    /// The database has not answered for the time of a lease: another gateway may have them by now.
    private func letGo() {
        let streams = state.withLock { state in
            let streams = state.kept.compactMap { state.streams.removeValue(forKey: $0) }
            state.letGo.formUnion(state.kept)
            state.kept = []
            return streams
        }
        for stream in streams {
            logger.warning("a live stream ends here: its database is away", metadata: ["stream": "\(stream.id)"])
            stream.stop()
        }
    }

    /// Takes over streams that no gateway has, as far as there is room.
    /// - Throws: what is in the way; another time may be better.
    private func goOn(with keeper: StreamKeeper) async throws {
        guard try await keeper.hasWaiting() else { return }
        // Without a mesh they are better left to others.
        _ = try await client()
        while state.withLock({ $0.streams.count }) < rules.limits.streams, let stored = try await keeper.claim() {
            // Our own, whose lease ran out in this moment.
            if state.withLock({ $0.streams[stored.id] != nil }) { continue }
            do {
                let request = try JSONDocument(stored.request, in: "").value(StreamRequest.self)
                var specification = try await StreamSpecification(request, pipeline(request.pipelineName), rules)
                if !stored.areas.isEmpty {
                    specification.areas = try JSONDocument(stored.areas, in: "").areas(rules.areas)
                }
                let createdAt = Date(timeIntervalSince1970: Double(stored.createdAt.milliseconds) / 1000)
                let stream = LiveStream(
                    specification, id: stored.id, owner: stored.owner, createdAt: createdAt, rules: rules,
                    places: places, metrics: metrics, logger: logger)
                let hasPlace = state.withLock { state in
                    guard state.streams.count < rules.limits.streams else { return false }
                    state.streams[stream.id] = stream
                    state.kept.insert(stream.id)
                    return true
                }
                guard hasPlace else { return try await keeper.release(stored.id) }
                started.continuation.yield(stream)
            } catch {
                let problem = Problem(error)
                guard Self.isFinal(problem) else {
                    try await keeper.release(stored.id)
                    throw error
                }
                logger.warning(
                    "a live stream cannot go on, and is forgotten",
                    metadata: ["stream": "\(stored.id)", "cause": "\(problem.detail)"])
                try await keeper.forget(stored.id)
            }
        }
    }

    /// It is the stream that is not as it may be; no other time is better.
    private static func isFinal(_ problem: Problem) -> Bool {
        (400..<500).contains(problem.status.code) && problem.status != .tooManyRequests
    }

    // MARK: What users do

    /// - Parameter request: as it came, JSON.
    /// - Throws: `Problem` if there are too many, `JobError`.
    func add(_ specification: StreamSpecification, owner: String, request: String) async throws -> LiveStream {
        let stream = LiveStream(
            specification, owner: owner, rules: rules, places: places, metrics: metrics, logger: logger)
        try takePlace(stream)
        do {
            try await keeper?.keep(stream, request: request)
        } catch {
            state.withLock { $0.streams[stream.id] = nil }
            throw error
        }
        let isWanted = state.withLock { state in
            guard state.streams[stream.id] === stream else { return false }
            if keeper != nil { state.kept.insert(stream.id) }
            return true
        }
        // Somebody who saw it in the list may have removed it meanwhile.
        guard isWanted else {
            try await keeper?.forget(stream.id)
            throw Problem(.conflict, "the stream was removed")
        }
        started.continuation.yield(stream)
        return stream
    }

    private func takePlace(_ stream: LiveStream) throws {
        let owner = stream.owner
        try state.withLock { state in
            guard !state.isOver else {
                throw Problem(.serviceUnavailable, "the gateway is ending").retry(after: .seconds(1))
            }
            let most = Places.Share(part: rules.share).places(of: rules.limits.streams)
            let own = state.streams.values.filter { $0.owner == owner && !$0.isOver }.count
            guard owner.isEmpty || own < most else {
                throw Problem(
                    .tooManyRequests,
                    "you have \(own) of the \(rules.limits.streams) streams, which is the limit for one caller",
                    limit: (Places.Share.name, rules.share)
                ).retry(after: rules.limits.pushIdle)
            }
            if state.streams.count >= rules.limits.streams {
                // What has ended makes room for what is to begin.
                let over = state.streams.values.filter { $0.isOver }.min { $0.createdAt < $1.createdAt }
                guard let over else {
                    throw Problem(
                        .tooManyRequests, "there are \(rules.limits.streams) streams, which is the limit",
                        limit: ("streams", Double(rules.limits.streams))
                    ).retry(after: rules.limits.pushIdle)
                }
                state.streams[over.id] = nil
                if keeper != nil { state.ended.insert(over.id) }
            }
            state.streams[stream.id] = stream
        }
    }

    /// Watches other areas in it, also in the gateway's next life.
    func watch(_ areas: AreaSet, in stream: LiveStream) async throws {
        try await keeper?.keep(areas, of: stream)
        stream.watch(areas)
    }

    /// In the order in which they were made.
    func all(where isWanted: (LiveStream) -> Bool) -> [LiveStream] {
        state.withLock { $0.streams.values.filter(isWanted) }.sorted { $0.createdAt < $1.createdAt }
    }

    func stream(_ id: String) -> LiveStream? { state.withLock { $0.streams[id] } }

    /// One that runs nowhere now: its gateway has ended, and it waits for a mesh to go on.
    /// - Parameters:
    ///   - id: as a request has it.
    ///   - owner: whose it must be; nil: anybody's.
    /// - Returns: whether there was one.
    func removeWaiting(_ id: String, of owner: String?) async throws -> Bool {
        guard let keeper, UUID(uuidString: id) != nil else { return false }
        return try await keeper.forgetWaiting(id, of: owner)
    }

    func remove(_ stream: LiveStream) async throws {
        try await keeper?.forget(stream.id)
        state.withLock { state in
            state.streams[stream.id] = nil
            state.kept.remove(stream.id)
        }
        stream.stop()
    }
}
