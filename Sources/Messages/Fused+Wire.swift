import CMessages
import ProtobufStructs

extension FusedRequest: WireCodable {
    public func encode() -> WireMessage {
        let message = unsafe Wire.pack { arena in
            let c = unsafe arena.allocate(Framemesh__V1__FusedRequest.self)
            unsafe framemesh__v1__fused_request__init(c)
            unsafe c.pointee.frame = unsafe frame.fill(&arena)
            unsafe c.pointee.detect_model = unsafe arena.string(detectModel)
            unsafe c.pointee.min_confidence = minConfidence
            unsafe c.pointee.classify_model = unsafe arena.string(classifyModel)
            unsafe c.pointee.top_k = UInt32(clamping: topK)
            unsafe c.pointee.boxes = UInt32(clamping: boxes)
            unsafe c.pointee.box_confidence = boxConfidence
            return unsafe c
        }
        return WireMessage(message: message, pixels: frame.payload.bytes)
    }

    public static func decode(_ wire: WireMessage) throws(MessageError) -> FusedRequest {
        let (rest, payload) = try FramePayload.split(wire)
        return try unsafe Wire.unpack(
            "FusedRequest", rest.message, framemesh__v1__fused_request__init
        ) { (c) throws(MessageError) in
            unsafe FusedRequest(
                frame: try Frame.read(c.frame, payload), detectModel: try Wire.text(c.detect_model),
                minConfidence: c.min_confidence, classifyModel: try Wire.text(c.classify_model),
                topK: Int(c.top_k), boxes: Int(c.boxes), boxConfidence: c.box_confidence)
        }
    }
}

extension FusedResponse: WireCodable {
    public func encode() -> WireMessage {
        let message = unsafe Wire.pack { arena in
            let c = unsafe arena.allocate(Framemesh__V1__FusedResponse.self)
            unsafe framemesh__v1__fused_response__init(c)
            unsafe c.pointee.width = UInt32(clamping: width)
            unsafe c.pointee.height = UInt32(clamping: height)
            unsafe c.pointee.n_detections = detections.count
            unsafe c.pointee.detections = unsafe arena.pointers(detections) { unsafe $1.fill(&$0) }
            unsafe c.pointee.n_classes = classes.count
            unsafe c.pointee.classes = unsafe arena.pointers(classes) { unsafe $1.fill(&$0) }
            unsafe c.pointee.n_timing = timing.count
            unsafe c.pointee.timing = unsafe arena.pointers(timing) { unsafe $1.fill(&$0) }
            unsafe c.pointee.sequence = sequence
            unsafe c.pointee.n_failures = failures.count
            unsafe c.pointee.failures = unsafe arena.pointers(failures) { unsafe $1.fill(&$0) }
            return unsafe c
        }
        return WireMessage(message: message)
    }

    public static func decode(_ wire: WireMessage) throws(MessageError) -> FusedResponse {
        try unsafe Wire.unpack(
            "FusedResponse", wire.message, framemesh__v1__fused_response__init
        ) { (c) throws(MessageError) in
            var response = FusedResponse()
            response.width = unsafe Int(c.width)
            response.height = unsafe Int(c.height)
            response.detections = unsafe try Wire.list(c.n_detections, c.detections, Detection.init)
            response.classes = unsafe try Wire.list(c.n_classes, c.classes, Classification.init)
            response.timing = unsafe try Wire.list(c.n_timing, c.timing, Timing.init)
            response.sequence = unsafe c.sequence
            response.failures = unsafe try Wire.list(c.n_failures, c.failures, StageFailure.init)
            return response
        }
    }
}

extension StageFailure {
    func fill(_ arena: inout Arena) -> UnsafeMutablePointer<Framemesh__V1__StageFailure> {
        let c = unsafe arena.allocate(Framemesh__V1__StageFailure.self)
        unsafe framemesh__v1__stage_failure__init(c)
        unsafe c.pointee.stage = unsafe arena.string(stage)
        unsafe c.pointee.code = UInt32(clamping: code)
        unsafe c.pointee.message = unsafe arena.string(message)
        return unsafe c
    }

    init(_ c: Framemesh__V1__StageFailure) throws(MessageError) {
        self.init(
            stage: unsafe try Wire.text(c.stage), code: unsafe Int(c.code), message: unsafe try Wire.text(c.message))
    }
}
