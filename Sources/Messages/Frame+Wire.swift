import CMessages
import NIOCore
import ProtobufStructs

extension Frame {
    func fill(_ arena: inout Arena) -> UnsafeMutablePointer<Framemesh__V1__Frame> {
        let c = unsafe arena.allocate(Framemesh__V1__Frame.self)
        unsafe framemesh__v1__frame__init(c)
        unsafe c.pointee.stream = unsafe arena.string(stream)
        unsafe c.pointee.sequence = sequence
        unsafe c.pointee.capture_time_us = captureTime
        unsafe c.pointee.encoding = Framemesh__V1__Encoding(rawValue: encoding.rawValue)
        unsafe c.pointee.width = UInt32(clamping: width)
        unsafe c.pointee.height = UInt32(clamping: height)
        unsafe c.pointee.row_stride = UInt32(clamping: rowStride)
        return unsafe c
    }

    /// A frame of `wire` whose description is `c`.
    static func read(
        _ c: UnsafeMutablePointer<Framemesh__V1__Frame>?, _ payload: FramePayload
    ) throws(MessageError) -> Frame {
        guard let c = unsafe c?.pointee else { return Frame(payload: payload) }
        guard let encoding = unsafe Encoding(rawValue: c.encoding.rawValue) else {
            throw MessageError("frame encoding \(unsafe c.encoding.rawValue) is not known")
        }
        return unsafe Frame(
            stream: try Wire.text(c.stream), sequence: c.sequence, captureTime: c.capture_time_us, encoding: encoding,
            width: Int(c.width), height: Int(c.height), rowStride: Int(c.row_stride), payload: payload)
    }
}

extension FramePayload {
    /// Of a request without its pixels. Each field that protobuf-c does not know takes many times its bytes.
    static let maxDescriptionBytes = 256 << 10

    /// The pixels of a request, and what is left of it for protobuf.
    static func split(_ wire: WireMessage) throws(MessageError) -> (rest: WireMessage, payload: FramePayload) {
        if let pixels = wire.pixels { return (try description(wire.message), .attached(pixels)) }
        let (rest, pixels) = try PixelField.peel(wire.message)
        return (try description(rest), .inline(pixels ?? ByteBuffer()))
    }

    private static func description(_ rest: ByteBuffer) throws(MessageError) -> WireMessage {
        guard rest.readableBytes <= maxDescriptionBytes else {
            throw MessageError(
                "request has \(rest.readableBytes) bytes beside its pixels, limit \(maxDescriptionBytes)")
        }
        return WireMessage(message: rest)
    }
}

extension Box {
    func fill(_ arena: inout Arena) -> UnsafeMutablePointer<Framemesh__V1__Box> {
        let c = unsafe arena.allocate(Framemesh__V1__Box.self)
        unsafe framemesh__v1__box__init(c)
        unsafe c.pointee.x = x
        unsafe c.pointee.y = y
        unsafe c.pointee.width = width
        unsafe c.pointee.height = height
        return unsafe c
    }

    init(_ c: Framemesh__V1__Box) {
        unsafe self.init(x: c.x, y: c.y, width: c.width, height: c.height)
    }
}

extension Classification {
    func fill(_ arena: inout Arena) -> UnsafeMutablePointer<Framemesh__V1__Classification> {
        let c = unsafe arena.allocate(Framemesh__V1__Classification.self)
        unsafe framemesh__v1__classification__init(c)
        unsafe c.pointee.class_id = UInt32(clamping: classID)
        unsafe c.pointee.label = unsafe arena.string(label)
        unsafe c.pointee.confidence = confidence
        return unsafe c
    }

    init(_ c: Framemesh__V1__Classification) throws(MessageError) {
        unsafe self.init(classID: Int(c.class_id), label: try Wire.text(c.label), confidence: c.confidence)
    }
}

extension Detection {
    func fill(_ arena: inout Arena) -> UnsafeMutablePointer<Framemesh__V1__Detection> {
        let c = unsafe arena.allocate(Framemesh__V1__Detection.self)
        unsafe framemesh__v1__detection__init(c)
        unsafe c.pointee.class_id = UInt32(clamping: classID)
        unsafe c.pointee.label = unsafe arena.string(label)
        unsafe c.pointee.confidence = confidence
        unsafe c.pointee.box = unsafe box.fill(&arena)
        unsafe c.pointee.track_id = trackID ?? 0
        unsafe c.pointee.n_classes = classes.count
        unsafe c.pointee.classes = unsafe arena.pointers(classes) { unsafe $1.fill(&$0) }
        return unsafe c
    }

    init(_ c: Framemesh__V1__Detection) throws(MessageError) {
        guard let box = unsafe c.box?.pointee else { throw MessageError("a detection has no box") }
        unsafe self.init(
            classID: Int(c.class_id), label: try Wire.text(c.label), confidence: c.confidence, box: Box(box),
            trackID: c.track_id == 0 ? nil : c.track_id,
            classes: try Wire.list(c.n_classes, c.classes, Classification.init))
    }
}

extension Timing {
    func fill(_ arena: inout Arena) -> UnsafeMutablePointer<Framemesh__V1__Timing> {
        let c = unsafe arena.allocate(Framemesh__V1__Timing.self)
        unsafe framemesh__v1__timing__init(c)
        unsafe c.pointee.stage = unsafe arena.string(stage)
        unsafe c.pointee.duration_us = microseconds
        return unsafe c
    }

    init(_ c: Framemesh__V1__Timing) throws(MessageError) {
        unsafe self.init(try Wire.text(c.stage), microseconds: c.duration_us)
    }
}
