import Areas
import Client
import HTTPTypes
import Logging
import ServiceLifecycle
import Synchronization

/// The live streams of a gateway, which run as long as `run()` does.
package final class LiveStreams: Service {
    private struct State {
        var streams: [String: LiveStream] = [:]
        var isOver = false
    }

    let rules: StreamRules
    private let places: Places
    private let metrics: StreamMetrics
    private let logger: Logger
    private let client: @Sendable () async throws -> MeshClient
    private let state = Mutex(State())
    private let started = AsyncStream<LiveStream>.makeStream()

    /// - Parameter client: of the mesh; waits for one.
    init(
        _ rules: StreamRules, places: Places, metrics: StreamMetrics, logger: Logger,
        client: @escaping @Sendable () async throws -> MeshClient
    ) {
        self.rules = rules
        self.places = places
        self.metrics = metrics
        self.logger = logger
        self.client = client
    }

    /// Until the task is cancelled or the gateway shuts down; all streams have ended by then.
    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.runAll() }
    }

    private func runAll() async {
        await withDiscardingTaskGroup { tasks in
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
    }

    private func run(_ stream: LiveStream) async {
        await stream.run(client: client)
        guard state.withLock({ $0.streams[stream.id] === stream }) else { return }
        // To be seen for a while: why it failed.
        try? await Task.sleep(for: rules.limits.remembered)
        state.withLock { $0.streams[stream.id] = nil }
    }

    /// - Throws: `Problem` if there are too many.
    func add(_ specification: StreamSpecification, owner: String) throws -> LiveStream {
        let stream = LiveStream(
            specification, owner: owner, rules: rules, places: places, metrics: metrics, logger: logger)
        try state.withLock { state in
            guard !state.isOver else {
                throw Problem(.serviceUnavailable, "the gateway is ending").retry(after: .seconds(1))
            }
            let most = Places.Share(part: rules.share).places(of: rules.limits.streams)
            let own = state.streams.values.filter { $0.owner == owner && !$0.life.state.isOver }.count
            guard owner.isEmpty || own < most else {
                throw Problem(
                    .tooManyRequests,
                    "you have \(own) of the \(rules.limits.streams) streams, which is the limit for one caller",
                    limit: (Places.Share.name, "\(rules.share)")
                ).retry(after: rules.limits.pushIdle)
            }
            if state.streams.count >= rules.limits.streams {
                // What has ended makes room for what is to begin.
                let over = state.streams.values.filter { $0.life.state.isOver }.min { $0.createdAt < $1.createdAt }
                guard let over else {
                    throw Problem(
                        .tooManyRequests, "there are \(rules.limits.streams) streams, which is the limit",
                        limit: ("streams", "\(rules.limits.streams)")
                    ).retry(after: rules.limits.pushIdle)
                }
                state.streams[over.id] = nil
            }
            state.streams[stream.id] = stream
        }
        started.continuation.yield(stream)
        return stream
    }

    /// In the order in which they were made.
    func all(where isWanted: (LiveStream) -> Bool) -> [LiveStream] {
        state.withLock { $0.streams.values.filter(isWanted) }.sorted { $0.createdAt < $1.createdAt }
    }

    func stream(_ id: String) -> LiveStream? { state.withLock { $0.streams[id] } }

    func remove(_ stream: LiveStream) {
        state.withLock { $0.streams[stream.id] = nil }
        stream.stop()
    }
}
