public import Mesh
import Messages
import NIOCore
public import RPC
public import Services
public import Telemetry
package import Traces

/// Every size, count and wait of a coordinator.
public struct CoordinatorConfiguration: Sendable {
    /// Port 0: any free one.
    public var listen = ServerAddress.host("127.0.0.1", port: 0)
    /// Where health alone is served as well, in plain text; nil: nowhere.
    public var probes: ServerAddress?
    /// Limits, TLS, and the time to drain.
    public var server = ServerConfiguration.cluster
    /// nil: whoever reaches the coordinator may call it.
    public var access: AccessControl?
    public var detectors: Target?
    public var classifiers: Target?
    /// Nodes that have models for both stages: frames of pipelines with both go there in one call.
    public var nodes: Target?
    /// Empty: each node's first model.
    public var detectModel = ""
    public var classifyModel = ""
    public var pipelines = Pipeline.builtIn
    /// Of a frame that names none itself, from its arrival.
    public var frameDeadline: Duration = .seconds(30)
    /// Kept back of a frame's deadline for the way home.
    public var hopMargin = HopMargin()
    public var limits = StreamLimits()
    /// What a node takes of one frame's pixels. A frame with more is refused here, since no node would ever have room.
    public var maxPixelBytes = ServerConfiguration().maxAttachmentBytes
    /// What a node takes of the rest of a request.
    public var maxMessageBytes = ServerConfiguration().maxMessageBytes
    /// Between attempts of a lossless frame that every node refused because it was full, and of one that came while there
    /// was no node.
    public var roomWait = RoomWait()
    /// How long a frame waits for a stage that it can do without, from when the last of its nodes was lost.
    public var optionalStageGrace: Duration = .milliseconds(500)
    /// When a node has refused a frame with both stages in one call, they go apart for so long.
    public var fusionPause: Duration = .seconds(5)
    public var channel = ChannelConfiguration()
    /// The mesh that nodes must belong to; empty: any.
    public var cluster = ""
    /// The version of the program, for those who ask.
    public var build = ""

    /// Shows what the coordinator counts; nil: it is counted by the process's own metrics, without what it knows of nodes.
    public var metrics: PrometheusMetrics?
    /// Makes calls and frames spans; nil: nobody wants them.
    package var tracer: MeshTracer?

    public init(detectors: Target?, classifiers: Target?, nodes: Target? = nil) {
        self.detectors = detectors
        self.classifiers = classifiers
        self.nodes = nodes
    }

    /// Nodes for `stage` are named nowhere; a stage that the coordinator does itself needs none.
    func lacksNodes(for stage: String) -> Bool {
        guard nodes == nil else { return false }
        return switch stage {
        case "detect": detectors == nil
        case "classify": classifiers == nil
        default: false
        }
    }
}

extension CoordinatorConfiguration {
    /// Why no node would take this request, if none would.
    func objection(to request: Payload, of frame: Frame) -> RPCError? {
        func over(_ what: String, _ bytes: Int, _ limit: Int) -> RPCError? {
            guard bytes > limit else { return nil }
            return RPCError(
                .invalidArgument, "frame \(frame.sequence) has \(bytes) bytes of \(what); nodes take at most \(limit)")
        }
        return over("pixels", request.attachment?.readableBytes ?? 0, maxPixelBytes)
            ?? over("description", request.message.readableBytes, maxMessageBytes)
    }
}

/// How many frames of one stream may be where.
public struct StreamLimits: Sendable, Hashable {
    /// Accepted and not yet answered, `lossless`; the sender is held back beyond it.
    public var losslessWindow = 16
    /// Running at once, `latest` and `deadline`.
    public var liveWindow = 4
    /// Waiting to run, `deadline`; the sender is held back beyond it.
    public var deadlineQueue = 64
    /// Answers that the client has not taken yet; it is held back beyond it.
    public var unansweredFrames = 1024

    public init() {}
}
