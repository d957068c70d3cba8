package import Client
import HTTPTypes
package import Logging
package import Mesh
package import Messages
package import NIOCore
import RPC
import ServiceLifecycle
import Services
import Synchronization

/// The mesh behind a gateway: found when there is one, kept from then on.
///
/// A gateway starts without a coordinator and says so until one answers; `run()` looks for it again and again. The client
/// it then has reconnects by itself.
package final class Coordinators: Service {
    private struct State {
        var client: MeshClient?
        /// Why there is none.
        var trouble = "no coordinator has answered yet"
        var view: MeshView?
        var viewedAt: ContinuousClock.Instant?
    }

    /// Between two attempts to find a coordinator.
    private static let backoff = Backoff()
    /// For what coordinators say of the mesh.
    private static let viewTimeout: Duration = .seconds(5)

    private let target: Target
    private let calling: MeshClientConfiguration
    private let limits: GatewayLimits
    private let group: any EventLoopGroup
    private let logger: Logger
    private let state = Mutex(State())
    private let waiters = Waiters<MeshClient>()
    private let looks = SingleFlight<MeshView>()

    package init(
        _ target: Target, _ calling: MeshClientConfiguration, _ limits: GatewayLimits, group: any EventLoopGroup,
        logger: Logger
    ) {
        self.target = target
        self.calling = calling
        self.limits = limits
        self.group = group
        self.logger = logger
    }

    /// Looks for a coordinator until there is one; keeps it until the task is cancelled or the gateway shuts down.
    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.connect() }
    }

    private func connect() async {
        var failures = 0
        var random = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            do {
                let client = try await MeshClient.connect(to: target, calling)
                state.withLock { $0.client = client }
                waiters.resume(with: .success(client))
                logger.info("connected to the mesh", metadata: ["coordinator": "\(client.name)"])
                await untilCancelled()
                client.close()
            } catch {
                guard !Task.isCancelled else { return }
                failures += 1
                let isNews = state.withLock { state in
                    defer { state.trouble = "\(error)" }
                    return state.trouble != "\(error)"
                }
                if isNews { logger.notice("no coordinator yet", metadata: ["reason": "\(error)"]) }
                try? await Task.sleep(for: Self.backoff.wait(after: failures, using: &random))
            }
        }
    }

    private func untilCancelled() async {
        let (never, continuation) = AsyncStream<Never>.makeStream()
        for await _ in never {}
        continuation.finish()
    }

    /// Waits for a coordinator for a short time.
    /// - Throws: `Problem`, 503, if there is none; `CancellationError`.
    package func client() async throws -> MeshClient {
        if let client = state.withLock({ $0.client }) { return client }
        let limit = Waiters<MeshClient>.Limit(.after(limits.connectPatience), on: group.any()) {
            RPCError(.unavailable, "no coordinator")
        }
        do {
            return try await waiters.wait("the request was cancelled", until: limit) {
                state.withLock { $0.client }.map { .success($0) }
            }
        } catch {
            if Task.isCancelled { throw CancellationError() }
            let cause = GatewayError(state.withLock { $0.trouble })
            throw Problem(.serviceUnavailable, "no coordinator answers", cause: cause).retry(after: .seconds(1))
        }
    }

    /// Nodes and pipelines as all coordinators see them, not older than `meshAge`. Those who ask at the same time ask once.
    /// - Throws: `Problem`, as `client`, and for what the calls fail with where no coordinator answers.
    package func view() async throws -> MeshView {
        let known = state.withLock { state in
            state.viewedAt.map { $0 + limits.meshAge > .now } ?? false ? state.view : nil
        }
        if let known { return known }
        return try await looks.value { try await self.look() }
    }

    private func look() async throws -> MeshView {
        let client = try await client()
        let deadline = Deadline.after(Self.viewTimeout)
        do {
            async let pipelines = client.vision.pipelines(deadline: deadline)
            let coordinators = await coordinators(of: client, until: deadline)
            let view = MeshView(coordinators: coordinators, pipelines: try await pipelines)
            state.withLock { state in
                state.view = view
                state.viewedAt = .now
            }
            return view
        } catch let error as RPCError {
            throw Problem(error)
        }
    }

    /// Each is asked for its own view; what one does not say costs the others nothing.
    private func coordinators(of client: MeshClient, until deadline: Deadline) async -> [MeshView.Coordinator] {
        await withTaskGroup(of: MeshView.Coordinator.self) { tasks in
            let endpoints = client.coordinators
            for endpoint in endpoints {
                tasks.addTask {
                    let nodes = try? await client.vision(on: endpoint.name).nodes(deadline: deadline)
                    return MeshView.Coordinator(endpoint: endpoint, nodes: nodes ?? [])
                }
            }
            return await tasks.reduce(into: []) { $0.append($1) }.sorted { $0.endpoint.name < $1.endpoint.name }
        }
    }

    /// By its name, as coordinators know it: what is known already is not asked for again.
    /// - Throws: `Problem`, 400 that names those there are.
    package func pipeline(named name: String) async throws -> PipelineDescription {
        if let known = state.withLock({ $0.view })?.pipeline(named: name) { return known }
        let view = try await view()
        if let found = view.pipeline(named: name) { return found }
        let names = view.pipelines.map(\.name).joined(separator: ", ")
        throw Problem(.badRequest, "there is no pipeline '\(name)'; there are \(names)", field: "pipeline")
    }
}
