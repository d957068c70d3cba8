import Messages

/// How busy a node is: what an orchestrator scales by.
public struct NodeLoad: Sendable, Hashable {
    /// Frames that wait.
    public var queueDepth: Int
    /// Seconds that a frame which came now would wait.
    public var queueDelay: Double
    /// Workers that are at work, of all of them: 0 to 1.
    public var busyRatio: Double

    init(_ description: NodeDescription) {
        queueDepth = description.queueDepth
        queueDelay = Double(description.estimatedWait) / 1_000_000
        busyRatio = min(1, Double(description.inFlight) / Double(max(1, description.workers)))
    }
}
