internal import CVision
public import Messages
public import NIOCore

/// A decoded picture, upright (EXIF orientation applied), in an aligned buffer from a bounded pool: BGR8, or NV12 and I420
/// as they came. Immutable.
@safe public final class Image: Sendable {
    /// Owned; freed with this object. Nothing writes to it once `init` is over, so threads may share it.
    nonisolated(unsafe) let handle: OpaquePointer

    private init(owning handle: OpaquePointer) { unsafe self.handle = handle }

    deinit { unsafe vision_image_free(handle) }

    /// Decodes a compressed frame, or takes the pixels of a raw one.
    ///
    /// A frame that says JPEG, PNG or WebP is believed no more than one that says nothing: magic bytes decide.
    public convenience init(decoding frame: Frame, limits: ImageLimits = .init()) throws(VisionError) {
        let bounds = vision_limits(max_pixels: Int64(limits.maxPixels), max_side: Int64(limits.maxSide))
        let bytes = frame.payload.bytes
        let format = Self.rawFormat(frame.encoding)
        let handle = try unsafe Core.pointer { error in
            unsafe bytes.withUnsafeReadableBytes { raw in
                let start = unsafe raw.baseAddress?.assumingMemoryBound(to: UInt8.self)
                guard let format else { return unsafe vision_image_decode(start, raw.count, bounds, error) }
                return unsafe vision_image_create(
                    format, Int64(frame.width), Int64(frame.height), Int64(frame.rowStride), start, raw.count, bounds,
                    error)
            }
        }
        unsafe self.init(owning: handle)
    }

    public var width: Int { unsafe Int(vision_image_width(handle)) }
    public var height: Int { unsafe Int(vision_image_height(handle)) }

    /// BGR8, rows packed; a copy. Empty where memory ran out.
    public var pixels: ByteBuffer {
        let count = unsafe vision_image_pixels(handle) == nil ? 0 : width * height * 3
        return unsafe ByteBuffer(bytes: UnsafeRawBufferPointer(start: vision_image_pixels(handle), count: count))
    }

    /// A copy of another size, in BGR8, stretched to it.
    public func resized(width: Int, height: Int, limits: ImageLimits = .init()) throws(VisionError) -> Image {
        let bounds = vision_limits(max_pixels: Int64(limits.maxPixels), max_side: Int64(limits.maxSide))
        return unsafe Image(
            owning: try unsafe Core.pointer { error in
                unsafe vision_image_create_resized(handle, Int64(width), Int64(height), bounds, error)
            })
    }

    /// - Parameter quality: 1…100.
    public func jpeg(quality: Int = 90) throws(VisionError) -> ByteBuffer {
        unsafe Self.taken(
            try unsafe Core.pointer { error in
                unsafe vision_bytes_create_jpeg(handle, Int32(clamping: quality), error)
            })
    }

    public func png() throws(VisionError) -> ByteBuffer {
        unsafe Self.taken(try unsafe Core.pointer { unsafe vision_bytes_create_png(handle, $0) })
    }

    /// Frees `bytes`.
    private static func taken(_ bytes: OpaquePointer) -> ByteBuffer {
        defer { unsafe vision_bytes_free(bytes) }
        return unsafe ByteBuffer(
            bytes: UnsafeRawBufferPointer(start: vision_bytes_data(bytes), count: vision_bytes_length(bytes)))
    }

    /// A copy on which `outlines`, `marks`, the most important one last, and `lines` are drawn; this image where memory runs out.
    func drawing(_ marks: [Mark], lines: [CornerLine], outlines: [Outline]) -> Image {
        guard let copy = try? unsafe Core.pointer({ unsafe vision_image_create_copy(handle, $0) }) else { return self }
        for outline in outlines {
            let points = outline.corners.flatMap { [$0.x, $0.y] }
            try? unsafe Core.check { error in
                unsafe vision_image_draw_outline(
                    copy, points, Int32(clamping: outline.corners.count), outline.isClosed, outline.text, error)
            }
        }
        for mark in marks {
            try? unsafe Core.check { error in
                unsafe vision_image_draw_box(
                    copy, mark.box.x, mark.box.y, mark.box.width, mark.box.height, mark.colour, error)
            }
        }
        for line in lines {
            let corner = line.atTop ? VISION_TOP_LEFT : VISION_BOTTOM_LEFT
            try? unsafe Core.check { error in
                unsafe vision_image_draw_line(copy, corner, Int32(clamping: line.index), line.text, error)
            }
        }
        // The most important ones come to stand where they should, the others keep off.
        for mark in marks.reversed() {
            try? unsafe Core.check { error in
                unsafe vision_image_draw_label(
                    copy, mark.box.x, mark.box.y, mark.box.width, mark.box.height, mark.colour, mark.text, mark.brief,
                    error)
            }
        }
        return unsafe Image(owning: copy)
    }

    private static func rawFormat(_ encoding: Encoding) -> vision_format? {
        switch encoding {
        case .auto, .jpeg, .png, .webp: return nil
        case .bgr8: return VISION_BGR8
        case .rgb8: return VISION_RGB8
        case .gray8: return VISION_GRAY8
        case .nv12: return VISION_NV12
        case .i420: return VISION_I420
        }
    }
}

extension Image {
    /// All pixels of one mid grey.
    static func grey(width: Int, height: Int) throws(VisionError) -> Image {
        let pixels = ByteBuffer(repeating: 128, count: width * height)
        return try Image(decoding: Frame(encoding: .gray8, width: width, height: height, payload: .inline(pixels)))
    }
}
