import CMessages
import ProtobufStructs

extension AnalyzeRequest: WireCodable {
    public func encode() -> WireMessage {
        let message = unsafe Wire.pack { arena in
            let c = unsafe arena.allocate(Framemesh__V1__AnalyzeRequest.self)
            unsafe framemesh__v1__analyze_request__init(c)
            unsafe c.pointee.frame = unsafe frame.fill(&arena)
            unsafe c.pointee.pipeline = unsafe arena.string(pipeline)
            unsafe c.pointee.min_confidence = minConfidence
            unsafe c.pointee.policy = Framemesh__V1__StreamPolicy(rawValue: policy.rawValue)
            unsafe c.pointee.frame_deadline_ms = frameDeadline
            unsafe c.pointee.top_k = UInt32(clamping: topK)
            unsafe c.pointee.epoch = epoch
            return unsafe c
        }
        return WireMessage(message: message, pixels: frame.payload.bytes)
    }

    public static func decode(_ wire: WireMessage) throws(MessageError) -> AnalyzeRequest {
        let (rest, payload) = try FramePayload.split(wire)
        return try unsafe Wire.unpack(
            "AnalyzeRequest", rest.message, framemesh__v1__analyze_request__init
        ) { (c) throws(MessageError) in
            guard let policy = unsafe StreamPolicy(rawValue: c.policy.rawValue) else {
                throw MessageError("stream policy \(unsafe c.policy.rawValue) is not known")
            }
            return unsafe AnalyzeRequest(
                frame: try Frame.read(c.frame, payload), pipeline: try Wire.text(c.pipeline),
                minConfidence: c.min_confidence, policy: policy, frameDeadline: c.frame_deadline_ms,
                topK: Int(c.top_k), epoch: c.epoch)
        }
    }
}

extension AnalyzeResponse: WireCodable {
    public func encode() -> WireMessage {
        let message = unsafe Wire.pack { arena in
            let c = unsafe arena.allocate(Framemesh__V1__AnalyzeResponse.self)
            unsafe framemesh__v1__analyze_response__init(c)
            unsafe c.pointee.stream = unsafe arena.string(stream)
            unsafe c.pointee.sequence = sequence
            unsafe c.pointee.status = Framemesh__V1__AnswerStatus(rawValue: status.rawValue)
            unsafe c.pointee.cause = unsafe arena.string(cause)
            unsafe c.pointee.code = UInt32(clamping: code)
            unsafe c.pointee.width = UInt32(clamping: width)
            unsafe c.pointee.height = UInt32(clamping: height)
            unsafe c.pointee.n_detections = detections.count
            unsafe c.pointee.detections = unsafe arena.pointers(detections) { unsafe $1.fill(&$0) }
            unsafe c.pointee.n_classes = classes.count
            unsafe c.pointee.classes = unsafe arena.pointers(classes) { unsafe $1.fill(&$0) }
            unsafe c.pointee.n_timing = timing.count
            unsafe c.pointee.timing = unsafe arena.pointers(timing) { unsafe $1.fill(&$0) }
            unsafe c.pointee.n_missing = missing.count
            unsafe c.pointee.missing = unsafe arena.pointers(missing) { unsafe $0.string($1) }
            unsafe c.pointee.attempts = UInt32(clamping: attempts)
            unsafe c.pointee.capture_time_us = captureTime
            unsafe c.pointee.epoch = epoch
            return unsafe c
        }
        return WireMessage(message: message)
    }

    public static func decode(_ wire: WireMessage) throws(MessageError) -> AnalyzeResponse {
        try unsafe Wire.unpack(
            "AnalyzeResponse", wire.message, framemesh__v1__analyze_response__init
        ) { (c) throws(MessageError) in
            guard let status = unsafe AnswerStatus(rawValue: c.status.rawValue) else {
                throw MessageError("answer status \(unsafe c.status.rawValue) is not known")
            }
            var answer = AnalyzeResponse()
            answer.stream = unsafe try Wire.text(c.stream)
            answer.sequence = unsafe c.sequence
            answer.status = status
            answer.cause = unsafe try Wire.text(c.cause)
            answer.code = unsafe Int(c.code)
            answer.width = unsafe Int(c.width)
            answer.height = unsafe Int(c.height)
            answer.detections = unsafe try Wire.list(c.n_detections, c.detections, Detection.init)
            answer.classes = unsafe try Wire.list(c.n_classes, c.classes, Classification.init)
            answer.timing = unsafe try Wire.list(c.n_timing, c.timing, Timing.init)
            answer.missing = unsafe try Wire.strings(c.n_missing, c.missing)
            answer.attempts = unsafe Int(c.attempts)
            answer.captureTime = unsafe c.capture_time_us
            answer.epoch = unsafe c.epoch
            return answer
        }
    }
}
