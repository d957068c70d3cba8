// CONTRACT: the public surface that other modules compile against. The module replaces each body;
// signatures stay (additions are fine). This file itself disappears into files named after their types.
public import Logging
public import NIOCore
public import Vision

public enum NodeRole: String, Sendable, CaseIterable { case detector, classifier }

/// Every size, count and wait of a node.
public struct NodeConfiguration: Sendable {
    public var role: NodeRole
    public var host = "127.0.0.1"
    /// 0: any free port.
    public var port = 0
    public var store: ModelStore
    /// The first one answers requests that name none. All of the role's task.
    public var models: [ModelManifest]
    /// Threads, each with one net of every model.
    public var workers = 1
    /// Frames that may wait; over it RESOURCE_EXHAUSTED at once.
    public var queueLimit = 64
    /// Triton's names and defaults.
    public var maxBatchSize = 1
    public var maxQueueDelay: Duration = .zero
    public var drainTimeout: Duration = .seconds(30)
    public var imageLimits = ImageLimits()
    public var build = ""

    public init(role: NodeRole, store: ModelStore, models: [ModelManifest]) {
        self.role = role
        self.store = store
        self.models = models
    }
}

/// A detection or classification node: loads its models, warms them up, serves them.
public final class NodeServer: Sendable {
    /// Loads, warms up, binds: ready once it returns, served once `run()` is called.
    public static func start(
        _ configuration: NodeConfiguration, group: any EventLoopGroup, logger: Logger
    ) async throws -> NodeServer { fatalError() }
    public var address: SocketAddress { fatalError() }
    /// Serves until cancelled; then drains within `drainTimeout`.
    public func run() async throws { fatalError() }
}
