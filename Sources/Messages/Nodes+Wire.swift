import CMessages
import ProtobufStructs

extension DetectRequest: WireCodable {
    public func encode() -> WireMessage {
        let message = unsafe Wire.pack { arena in
            let c = unsafe arena.allocate(Framemesh__V1__DetectRequest.self)
            unsafe framemesh__v1__detect_request__init(c)
            unsafe c.pointee.frame = unsafe frame.fill(&arena)
            unsafe c.pointee.model = unsafe arena.string(model)
            unsafe c.pointee.min_confidence = minConfidence
            return unsafe c
        }
        return WireMessage(message: message, pixels: frame.payload.bytes)
    }

    public static func decode(_ wire: WireMessage) throws(MessageError) -> DetectRequest {
        let (rest, payload) = try FramePayload.split(wire)
        return try unsafe Wire.unpack(
            "DetectRequest", rest.message, framemesh__v1__detect_request__init
        ) { (c) throws(MessageError) in
            unsafe DetectRequest(
                frame: try Frame.read(c.frame, payload), model: try Wire.text(c.model),
                minConfidence: c.min_confidence)
        }
    }
}

extension DetectResponse: WireCodable {
    public func encode() -> WireMessage {
        let message = unsafe Wire.pack { arena in
            let c = unsafe arena.allocate(Framemesh__V1__DetectResponse.self)
            unsafe framemesh__v1__detect_response__init(c)
            unsafe c.pointee.width = UInt32(clamping: width)
            unsafe c.pointee.height = UInt32(clamping: height)
            unsafe c.pointee.n_detections = detections.count
            unsafe c.pointee.detections = unsafe arena.pointers(detections) { unsafe $1.fill(&$0) }
            unsafe c.pointee.n_timing = timing.count
            unsafe c.pointee.timing = unsafe arena.pointers(timing) { unsafe $1.fill(&$0) }
            unsafe c.pointee.sequence = sequence
            return unsafe c
        }
        return WireMessage(message: message)
    }

    public static func decode(_ wire: WireMessage) throws(MessageError) -> DetectResponse {
        try unsafe Wire.unpack(
            "DetectResponse", wire.message, framemesh__v1__detect_response__init
        ) { (c) throws(MessageError) in
            var response = DetectResponse()
            response.width = unsafe Int(c.width)
            response.height = unsafe Int(c.height)
            response.detections = unsafe try Wire.list(c.n_detections, c.detections, Detection.init)
            response.timing = unsafe try Wire.list(c.n_timing, c.timing, Timing.init)
            response.sequence = unsafe c.sequence
            return response
        }
    }
}

extension ClassifyRequest: WireCodable {
    public func encode() -> WireMessage {
        let message = unsafe Wire.pack { arena in
            let c = unsafe arena.allocate(Framemesh__V1__ClassifyRequest.self)
            unsafe framemesh__v1__classify_request__init(c)
            unsafe c.pointee.frame = unsafe frame.fill(&arena)
            unsafe c.pointee.model = unsafe arena.string(model)
            unsafe c.pointee.n_regions = regions.count
            unsafe c.pointee.regions = unsafe arena.pointers(regions) { unsafe $1.fill(&$0) }
            unsafe c.pointee.top_k = UInt32(clamping: topK)
            return unsafe c
        }
        return WireMessage(message: message, pixels: frame.payload.bytes)
    }

    public static func decode(_ wire: WireMessage) throws(MessageError) -> ClassifyRequest {
        let (rest, payload) = try FramePayload.split(wire)
        return try unsafe Wire.unpack(
            "ClassifyRequest", rest.message, framemesh__v1__classify_request__init
        ) { (c) throws(MessageError) in
            unsafe ClassifyRequest(
                frame: try Frame.read(c.frame, payload), model: try Wire.text(c.model),
                regions: try Wire.list(c.n_regions, c.regions, Box.init), topK: Int(c.top_k))
        }
    }
}

extension ClassifyResponse: WireCodable {
    public func encode() -> WireMessage {
        let message = unsafe Wire.pack { arena in
            let c = unsafe arena.allocate(Framemesh__V1__ClassifyResponse.self)
            unsafe framemesh__v1__classify_response__init(c)
            unsafe c.pointee.width = UInt32(clamping: width)
            unsafe c.pointee.height = UInt32(clamping: height)
            unsafe c.pointee.n_regions = regions.count
            unsafe c.pointee.regions = unsafe arena.pointers(regions) { arena, classes in
                let region = unsafe arena.allocate(Framemesh__V1__RegionClasses.self)
                unsafe framemesh__v1__region_classes__init(region)
                unsafe region.pointee.n_classes = classes.count
                unsafe region.pointee.classes = unsafe arena.pointers(classes) { unsafe $1.fill(&$0) }
                return unsafe region
            }
            unsafe c.pointee.n_timing = timing.count
            unsafe c.pointee.timing = unsafe arena.pointers(timing) { unsafe $1.fill(&$0) }
            unsafe c.pointee.sequence = sequence
            return unsafe c
        }
        return WireMessage(message: message)
    }

    public static func decode(_ wire: WireMessage) throws(MessageError) -> ClassifyResponse {
        try unsafe Wire.unpack(
            "ClassifyResponse", wire.message, framemesh__v1__classify_response__init
        ) { (c) throws(MessageError) in
            var response = ClassifyResponse()
            response.width = unsafe Int(c.width)
            response.height = unsafe Int(c.height)
            response.regions = unsafe try Wire.list(c.n_regions, c.regions) { (region) throws(MessageError) in
                unsafe try Wire.list(region.n_classes, region.classes, Classification.init)
            }
            response.timing = unsafe try Wire.list(c.n_timing, c.timing, Timing.init)
            response.sequence = unsafe c.sequence
            return response
        }
    }
}
