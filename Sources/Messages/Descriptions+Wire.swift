import CMessages
import NIOCore
import ProtobufStructs

/// A request without fields.
public struct EmptyRequest: WireCodable {
    public init() {}
    public func encode() -> WireMessage { WireMessage(message: ByteBuffer()) }
    public static func decode(_ wire: WireMessage) throws(MessageError) -> EmptyRequest { EmptyRequest() }
}

public struct ListPipelinesResponse: WireCodable {
    public var pipelines: [PipelineDescription]
    public init(pipelines: [PipelineDescription]) { self.pipelines = pipelines }

    public func encode() -> WireMessage {
        let message = unsafe Wire.pack { arena in
            let c = unsafe arena.allocate(Framemesh__V1__ListPipelinesResponse.self)
            unsafe framemesh__v1__list_pipelines_response__init(c)
            unsafe c.pointee.n_pipelines = pipelines.count
            unsafe c.pointee.pipelines = unsafe arena.pointers(pipelines) { unsafe $1.fill(&$0) }
            return unsafe c
        }
        return WireMessage(message: message)
    }

    public static func decode(_ wire: WireMessage) throws(MessageError) -> ListPipelinesResponse {
        try unsafe Wire.unpack(
            "ListPipelinesResponse", wire.message, framemesh__v1__list_pipelines_response__init
        ) { (c) throws(MessageError) in
            ListPipelinesResponse(pipelines: unsafe try Wire.list(c.n_pipelines, c.pipelines, PipelineDescription.init))
        }
    }
}

extension PipelineDescription {
    func fill(_ arena: inout Arena) -> UnsafeMutablePointer<Framemesh__V1__Pipeline> {
        let c = unsafe arena.allocate(Framemesh__V1__Pipeline.self)
        unsafe framemesh__v1__pipeline__init(c)
        unsafe c.pointee.name = unsafe arena.string(name)
        unsafe c.pointee.n_stages = stages.count
        unsafe c.pointee.stages = unsafe arena.pointers(stages) { unsafe $0.string($1) }
        unsafe c.pointee.needs_stream = needsStream ? 1 : 0
        unsafe c.pointee.description = unsafe arena.string(text)
        unsafe c.pointee.n_required = required.count
        unsafe c.pointee.required = unsafe arena.pointers(required) { unsafe $0.string($1) }
        unsafe c.pointee.detect_model = unsafe arena.string(detectModel)
        unsafe c.pointee.classify_model = unsafe arena.string(classifyModel)
        unsafe c.pointee.boxes = UInt32(clamping: boxes)
        unsafe c.pointee.top_k = UInt32(clamping: topK)
        unsafe c.pointee.n_unoffered = unoffered.count
        unsafe c.pointee.unoffered = unsafe arena.pointers(unoffered) { unsafe $0.string($1) }
        return unsafe c
    }

    init(_ c: Framemesh__V1__Pipeline) throws(MessageError) {
        unsafe self.init(
            name: try Wire.text(c.name), stages: try Wire.strings(c.n_stages, c.stages),
            needsStream: c.needs_stream != 0, text: try Wire.text(c.description))
        required = unsafe try Wire.strings(c.n_required, c.required)
        detectModel = unsafe try Wire.text(c.detect_model)
        classifyModel = unsafe try Wire.text(c.classify_model)
        boxes = unsafe Int(c.boxes)
        topK = unsafe Int(c.top_k)
        unoffered = unsafe try Wire.strings(c.n_unoffered, c.unoffered)
    }
}

public struct ListNodesResponse: WireCodable {
    public var nodes: [NodeState]
    public init(nodes: [NodeState]) { self.nodes = nodes }

    public func encode() -> WireMessage {
        let message = unsafe Wire.pack { arena in
            let c = unsafe arena.allocate(Framemesh__V1__ListNodesResponse.self)
            unsafe framemesh__v1__list_nodes_response__init(c)
            unsafe c.pointee.n_nodes = nodes.count
            unsafe c.pointee.nodes = unsafe arena.pointers(nodes) { unsafe $1.fill(&$0) }
            return unsafe c
        }
        return WireMessage(message: message)
    }

    public static func decode(_ wire: WireMessage) throws(MessageError) -> ListNodesResponse {
        try unsafe Wire.unpack(
            "ListNodesResponse", wire.message, framemesh__v1__list_nodes_response__init
        ) { (c) throws(MessageError) in
            ListNodesResponse(nodes: unsafe try Wire.list(c.n_nodes, c.nodes, NodeState.init))
        }
    }
}

extension NodeState {
    func fill(_ arena: inout Arena) -> UnsafeMutablePointer<Framemesh__V1__NodeState> {
        let c = unsafe arena.allocate(Framemesh__V1__NodeState.self)
        unsafe framemesh__v1__node_state__init(c)
        unsafe c.pointee.role = unsafe arena.string(role)
        unsafe c.pointee.address = unsafe arena.string(address)
        unsafe c.pointee.state = unsafe arena.string(state)
        unsafe c.pointee.outstanding = UInt32(clamping: outstanding)
        unsafe c.pointee.ewma_us = ewma
        unsafe c.pointee.calls = calls
        unsafe c.pointee.failures = failures
        if let description { unsafe c.pointee.description = unsafe description.fill(&arena) }
        unsafe c.pointee.p99_us = p99
        unsafe c.pointee.ejections = ejections
        unsafe c.pointee.reason = unsafe arena.string(reason)
        return unsafe c
    }

    init(_ c: Framemesh__V1__NodeState) throws(MessageError) {
        self.init()
        role = unsafe try Wire.text(c.role)
        address = unsafe try Wire.text(c.address)
        state = unsafe try Wire.text(c.state)
        outstanding = unsafe Int(c.outstanding)
        ewma = unsafe c.ewma_us
        calls = unsafe c.calls
        failures = unsafe c.failures
        if let text = unsafe c.description?.pointee { description = unsafe try NodeDescription(text) }
        p99 = unsafe c.p99_us
        ejections = unsafe c.ejections
        reason = unsafe try Wire.text(c.reason)
    }
}

extension NodeDescription: WireCodable {
    public func encode() -> WireMessage { WireMessage(message: unsafe Wire.pack { unsafe fill(&$0) }) }

    public static func decode(_ wire: WireMessage) throws(MessageError) -> NodeDescription {
        try unsafe Wire.unpack(
            "NodeDescription", wire.message, framemesh__v1__node_description__init, NodeDescription.init)
    }

    func fill(_ arena: inout Arena) -> UnsafeMutablePointer<Framemesh__V1__NodeDescription> {
        let c = unsafe arena.allocate(Framemesh__V1__NodeDescription.self)
        unsafe framemesh__v1__node_description__init(c)
        unsafe c.pointee.role = unsafe arena.string(role)
        unsafe c.pointee.n_models = models.count
        unsafe c.pointee.models = unsafe arena.pointers(models) { unsafe $1.fill(&$0) }
        unsafe c.pointee.workers = UInt32(clamping: workers)
        unsafe c.pointee.queue_depth = UInt32(clamping: queueDepth)
        unsafe c.pointee.queue_limit = UInt32(clamping: queueLimit)
        unsafe c.pointee.in_flight = UInt32(clamping: inFlight)
        unsafe c.pointee.estimated_wait_us = estimatedWait
        unsafe c.pointee.build = unsafe arena.string(build)
        unsafe c.pointee.accepted = accepted
        unsafe c.pointee.completed = completed
        unsafe c.pointee.refused = refused
        unsafe c.pointee.expired = expired
        unsafe c.pointee.zone = unsafe arena.string(zone)
        unsafe c.pointee.engine = unsafe arena.string(engine)
        return unsafe c
    }

    init(_ c: Framemesh__V1__NodeDescription) throws(MessageError) {
        self.init()
        role = unsafe try Wire.text(c.role)
        models = unsafe try Wire.list(c.n_models, c.models, ModelDescription.init)
        workers = unsafe Int(c.workers)
        queueDepth = unsafe Int(c.queue_depth)
        queueLimit = unsafe Int(c.queue_limit)
        inFlight = unsafe Int(c.in_flight)
        estimatedWait = unsafe c.estimated_wait_us
        build = unsafe try Wire.text(c.build)
        accepted = unsafe c.accepted
        completed = unsafe c.completed
        refused = unsafe c.refused
        expired = unsafe c.expired
        zone = unsafe try Wire.text(c.zone)
        engine = unsafe try Wire.text(c.engine)
    }
}

extension ModelDescription {
    func fill(_ arena: inout Arena) -> UnsafeMutablePointer<Framemesh__V1__ModelDescription> {
        let c = unsafe arena.allocate(Framemesh__V1__ModelDescription.self)
        unsafe framemesh__v1__model_description__init(c)
        unsafe c.pointee.name = unsafe arena.string(name)
        unsafe c.pointee.task = unsafe arena.string(task)
        unsafe c.pointee.version = unsafe arena.string(version)
        unsafe c.pointee.input_width = UInt32(clamping: inputWidth)
        unsafe c.pointee.input_height = UInt32(clamping: inputHeight)
        unsafe c.pointee.max_batch_size = UInt32(clamping: maxBatchSize)
        unsafe c.pointee.label_count = UInt32(clamping: labelCount)
        return unsafe c
    }

    init(_ c: Framemesh__V1__ModelDescription) throws(MessageError) {
        self.init()
        name = unsafe try Wire.text(c.name)
        task = unsafe try Wire.text(c.task)
        version = unsafe try Wire.text(c.version)
        inputWidth = unsafe Int(c.input_width)
        inputHeight = unsafe Int(c.input_height)
        maxBatchSize = unsafe Int(c.max_batch_size)
        labelCount = unsafe Int(c.label_count)
    }
}
