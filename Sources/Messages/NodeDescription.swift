public struct ModelDescription: Sendable, Hashable {
    public var name = ""
    /// `detection` or `classification`.
    public var task = ""
    /// First 12 hexadecimal digits of the sha256 of its files.
    public var version = ""
    public var inputWidth = 0
    public var inputHeight = 0
    public var maxBatchSize = 1
    public var labelCount = 0

    public init() {}
}

/// What a node says of itself.
public struct NodeDescription: Sendable, Hashable {
    /// `detector`, `classifier` or `node`.
    public var role = ""
    public var models: [ModelDescription] = []
    public var workers = 0
    /// Frames that wait.
    public var queueDepth = 0
    public var queueLimit = 0
    /// Frames that run.
    public var inFlight = 0
    /// Of a frame that would arrive now, microseconds.
    public var estimatedWait: UInt64 = 0
    public var build = ""
    public var accepted: UInt64 = 0
    public var completed: UInt64 = 0
    public var refused: UInt64 = 0
    public var expired: UInt64 = 0
    /// Where it is; empty: it does not say.
    public var zone = ""
    /// What runs its models (`opencv`, `opencv+onednn`); empty: it does not say.
    public var engine = ""

    public init() {}
}

/// A node as a coordinator sees it.
public struct NodeState: Sendable, Hashable {
    public var role = ""
    public var address = ""
    /// `ready`, `connecting`, `unhealthy`, `ejected`, `silent` or `wrong service`.
    public var state = ""
    public var outstanding = 0
    /// Peak-EWMA of the latency, microseconds.
    public var ewma: UInt64 = 0
    public var calls: UInt64 = 0
    public var failures: UInt64 = 0
    public var description: NodeDescription?
    /// 99 of 100 answers took less, microseconds; of the last ones. 0: there were none.
    public var p99: UInt64 = 0
    /// Times that it was left out because calls failed.
    public var ejections: UInt64 = 0
    /// Why it is not ready, or what speaks against it though it is; empty: nothing.
    public var reason = ""

    public init() {}
}
