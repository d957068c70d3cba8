public import RPC
public import Telemetry
package import Traces
public import Vision

/// Every size, count and wait of a node.
public struct NodeConfiguration: Sendable {
    public var role: NodeRole
    /// Port 0: any free one.
    public var listen = ServerAddress.host("127.0.0.1", port: 0)
    /// Where health alone is served as well, in plain text; nil: nowhere.
    public var probes: ServerAddress?
    /// Limits, TLS, and the time to drain.
    public var server = ServerConfiguration.cluster
    /// nil: whoever reaches the node may call it.
    public var access: AccessControl?
    public var store: ModelStore
    /// The first one of a task answers requests that name none. All of the role's tasks.
    public var models: [ModelManifest]
    /// What runs the models.
    public var engine = Engine.standard {
        didSet { engineName = engine.rawValue }
    }
    /// As the node names it.
    public internal(set) var engineName = Engine.standard.rawValue
    /// Threads, each with one net of every model.
    public var workers = 1
    /// Frames that may wait; over it RESOURCE_EXHAUSTED at once.
    public var queueLimit = 64
    /// Triton's names and defaults.
    public var maxBatchSize = 1
    public var preferredBatchSizes: [Int] = []
    public var maxQueueDelay: Duration = .zero
    /// First come, first served, and answered in that order, whoever the client and however urgent.
    public var preservesOrder = false
    /// Boxes that one classification request may name.
    public var maxRegions = 1024
    /// A worker that is at the same batch for so long is lost: the node drains, and ends with an error.
    public var workerPatience: Duration = .seconds(60)
    public var imageLimits = ImageLimits()
    public var build = ""
    /// Makes a model on the thread of the worker that will run it.
    package var load: @Sendable (ModelManifest, NodeConfiguration) throws(VisionError) -> any VisionModel = {
        (manifest, node) throws(VisionError) in
        try Model(manifest, store: node.store, engine: node.engine, maxBatchSize: node.maxBatchSize)
    }
    /// Where it is, for callers that prefer their own zone; empty: it does not say.
    public var zone = ""
    /// Which mesh it belongs to; callers that name theirs take no other. Empty: any.
    public var cluster = ""

    /// Shows what the node counts; nil: it is counted by the process's own metrics, without the queue's numbers.
    public var metrics: PrometheusMetrics?
    /// Makes calls spans; nil: nobody wants them.
    package var tracer: MeshTracer?

    public init(role: NodeRole, store: ModelStore, models: [ModelManifest]) {
        self.role = role
        self.store = store
        self.models = models
    }

    /// Checks all of it, and the files of the models: their digests too.
    /// - Throws: `NodeError` or `VisionError`; one line that names what is wrong.
    public func check() throws {
        try validate()
        for model in models { try store.check(model) }
    }

    /// Checks what can be checked without a file.
    func validate() throws(NodeError) {
        for (name, value) in [
            ("workers", workers), ("queue limit", queueLimit), ("max batch size", maxBatchSize),
            ("max regions", maxRegions),
        ] where value < 1 {
            throw NodeError("\(name) is \(value), at least 1 is needed")
        }
        guard workers <= Self.maxWorkers else {
            throw NodeError("\(workers) workers exceed the limit of \(Self.maxWorkers)")
        }
        guard maxBatchSize <= Model.batchSizeLimit else {
            throw NodeError("max batch size \(maxBatchSize) exceeds the limit of \(Model.batchSizeLimit)")
        }
        if let size = preferredBatchSizes.first(where: { !(1...maxBatchSize).contains($0) }) {
            throw NodeError("preferred batch size is \(size), it must be 1 to the max batch size of \(maxBatchSize)")
        }
        for (name, value, bounds) in [
            ("max pixels", imageLimits.maxPixels, ImageLimits.pixelBounds),
            ("max side", imageLimits.maxSide, ImageLimits.sideBounds),
        ] where !bounds.contains(value) {
            throw NodeError("\(name) is \(value), it must be \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        guard workerPatience > .zero else { throw NodeError("worker patience is \(workerPatience), not above zero") }
        guard maxQueueDelay >= .zero else { throw NodeError("max queue delay is \(maxQueueDelay), less than zero") }
        if let objection = role.objection(to: models) { throw NodeError(objection) }
    }

    /// Each worker is a thread with nets of its own.
    public static let maxWorkers = 256
}
