package import Client
import HTTPTypes
package import Logging
package import Mesh
package import Messages
package import NIOCore
import RPC
import Results
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
    /// What is known of the mesh counts for so many times `meshAge` for those who do not wait for news of it.
    private static let usableAges = 4

    private let target: Target
    private let calling: MeshClientConfiguration
    private let limits: GatewayLimits
    private let group: any EventLoopGroup
    private let logger: Logger
    private let state = Mutex(State())
    private let waiters = Waiters<MeshClient>()
    private let looks = SingleFlight<MeshView>()
    /// Somebody used a view that was not quite new.
    private let stale = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

    package init(
        _ target: Target, _ calling: MeshClientConfiguration, _ limits: GatewayLimits, group: any EventLoopGroup,
        logger: Logger
    ) {
        self.target = target
        var calling = calling
        // Also one that was connected and is lost is not waited for any longer.
        calling.channel.readyTimeout = min(calling.channel.readyTimeout, limits.connectPatience)
        self.calling = calling
        self.limits = limits
        self.group = group
        self.logger = logger
    }

    /// Looks for a coordinator until there is one; keeps it until the task is cancelled or the gateway shuts down.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { tasks in
                tasks.addTask { await self.connect() }
                tasks.addTask { for await _ in self.stale.stream { _ = try? await self.view() } }
            }
        }
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
                let reason = SystemError.forLog(error)
                let isNews = state.withLock { state in
                    defer { state.trouble = reason }
                    return state.trouble != reason
                }
                if isNews { logger.notice("no coordinator yet", metadata: ["reason": "\(reason)"]) }
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
    /// - Parameter time: for whoever has a deadline of its own; `connectPatience` at most.
    /// - Throws: `Problem`, 503, if there is none; `CancellationError`.
    package func client(within time: Duration? = nil) async throws -> MeshClient {
        if let client = state.withLock({ $0.client }) { return client }
        let patience = min(limits.connectPatience, time ?? limits.connectPatience)
        let limit = Waiters<MeshClient>.Limit(.after(patience), on: group.any()) {
            RPCError(.unavailable, "no coordinator")
        }
        do {
            return try await waiters.wait("the request was cancelled", until: limit) {
                state.withLock { $0.client }.map { .success($0) }
            }
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw Self.absence(GatewayError(state.withLock { $0.trouble }))
        }
    }

    private static func absence(_ cause: any Error) -> Problem {
        Problem(.serviceUnavailable, "no coordinator answers", cause: cause).retry(after: .seconds(1))
    }

    // ---- what there is ----

    /// Nodes and pipelines as all coordinators see them, not older than `meshAge`. Those who ask at the same time ask once.
    /// - Parameter time: for whoever has a deadline of its own; nil: `connectPatience` for a coordinator to be connected, and
    ///   again for its answer.
    /// - Throws: `Problem`: 503 where no coordinator answers, 504 where `time` is over before that is known; for what else
    ///   the calls fail with; `CancellationError`.
    package func view(within time: Duration? = nil) async throws -> MeshView {
        if let known = known(for: limits.meshAge) { return known }
        let limit = time.map { time in
            Waiters<SingleFlight<MeshView>.Outcome>.Limit(.after(time), on: group.any()) {
                RPCError(.deadlineExceeded, "no coordinator has said what there is within \(time)")
            }
        }
        do {
            return try await looks.value(until: limit) { try await self.look() }
        } catch let error as RPCError {
            throw Task.isCancelled ? CancellationError() : Problem(error)
        }
    }

    /// - Parameter age: the oldest view that will do.
    private func known(for age: Duration) -> MeshView? {
        state.withLock { state in state.viewedAt.map { .now - $0 <= age } ?? false ? state.view : nil }
    }

    private func look() async throws -> MeshView {
        let client = try await client()
        let look = MeshLook(client: client, deadline: .after(limits.connectPatience), grace: limits.meshAge)
        do {
            let view = try await look.view()
            state.withLock { state in
                state.view = view
                state.viewedAt = .now
            }
            return view
        } catch let error as RPCError {
            let isSilence = error.isOfConnection || [.unavailable, .deadlineExceeded].contains(error.code)
            throw isSilence ? Self.absence(error) : Problem(error)
        }
    }

    /// By its name, as coordinators know it: what is known already is not asked for again.
    /// - Throws: `Problem`, 400 that names those there are; as `view`.
    package func pipeline(named name: String) async throws -> PipelineDescription {
        if let known = state.withLock({ $0.view })?.pipeline(named: name) { return known.pipeline }
        return try Self.line(name, in: try await view()).pipeline
    }

    private static func line(_ name: String, in view: MeshView) throws -> PipelineLine {
        if let found = view.pipeline(named: name) { return found }
        let names = view.pipelines.map(\.pipeline.name).joined(separator: ", ")
        throw Problem(.badRequest, "there is no pipeline '\(name)'; there are \(names)", field: "pipeline")
    }

    /// A pipeline that has the nodes that it cannot do without. Nodes that are known and not ready are waited for, no longer
    /// than `connectPatience`.
    /// - Parameter time: for whoever has a deadline of its own.
    /// - Throws: `Problem`: 400 as `pipeline`; 503 that names the stages without nodes; as `view`.
    func pipeline(withNodes name: String, within time: Duration? = nil) async throws -> PipelineDescription {
        let begin = ContinuousClock.now
        let end = begin + min(limits.connectPatience, time ?? limits.connectPatience)
        var view: MeshView
        if let usable = usable(for: name) { view = usable } else { view = try await self.view(within: time) }
        var line = try Self.line(name, in: view)
        while line.now == .fails {
            if view.mayRecover(line) { try await Task.sleep(for: max(.zero, min(limits.meshAge, end - .now))) }
            guard view.mayRecover(line), .now < end else { throw Self.absence(of: line) }
            view = try await self.view(within: time.map { $0 - begin.duration(to: .now) })
            line = try Self.line(name, in: view)
        }
        return line.pipeline
    }

    /// A pipeline that has nodes, or may have: some are known for each stage that it cannot do without, ready or not.
    /// - Throws: as `pipeline(withNodes:)`.
    func pipeline(withKnownNodes name: String) async throws -> PipelineDescription {
        let view: MeshView
        if let usable = usable(for: name) { view = usable } else { view = try await self.view() }
        let line = try Self.line(name, in: view)
        guard line.now != .fails || view.mayRecover(line) else { throw Self.absence(of: line) }
        return line.pipeline
    }

    private static func absence(of line: PipelineLine) -> Problem {
        Problem(.serviceUnavailable, MeshReason.noNodes(for: line.failingStages)).retry(after: .seconds(1))
    }

    /// A view that is new enough for who wants a pipeline that it knows; one that is less than new is renewed meanwhile.
    private func usable(for name: String) -> MeshView? {
        if let new = known(for: limits.meshAge) { return new }
        stale.continuation.yield()
        let known = known(for: limits.meshAge * Self.usableAges)
        return known?.pipeline(named: name) == nil ? nil : known
    }
}
