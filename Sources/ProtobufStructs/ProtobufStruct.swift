public import CBoundedProtobuf
import CProtobufC
public import NIOCore

/// Packs and unpacks the structs that protobuf-c generates. One lives in an arena while it is packed, and never leaves
/// the closure that reads it when it was unpacked.
public enum ProtobufStruct {
    /// Runs `fill`, which builds a message in the arena, and packs what it returns.
    @inlinable public static func pack<T>(_ fill: (inout Arena) -> UnsafeMutablePointer<T>) -> ByteBuffer {
        var arena = Arena()
        return unsafe pack(UnsafePointer(fill(&arena)))
    }

    /// - Parameter message: a generated struct.
    @inlinable public static func pack<T>(_ message: UnsafePointer<T>) -> ByteBuffer {
        unsafe pack(base: UnsafeRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self))
    }

    @usableFromInline static func pack(base message: UnsafePointer<ProtobufCMessage>) -> ByteBuffer {
        let size = unsafe protobuf_c_message_get_packed_size(message)
        var buffer = ByteBufferAllocator().buffer(capacity: size)
        unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { space in
            guard let start = space.baseAddress else { return 0 }
            return unsafe protobuf_c_message_pack(message, start.assumingMemoryBound(to: UInt8.self))
        }
        return buffer
    }

    /// Unpacks `bytes` within limits of depth, fields and memory, hands the struct to `read`, and frees it.
    /// - Parameters:
    ///   - initialise: the generated `…__init`, which knows the type's descriptor.
    ///   - maxStringBytes: of each string; nil: as `limits` has it, for strings that are kept or told to others.
    ///   - failure: the error if the bytes are no such message, or one beyond the limits; it gets a few words that say
    ///     which.
    @inlinable public static func unpack<T, Value, Failure: Error>(
        _ bytes: ByteBuffer, _ initialise: (UnsafeMutablePointer<T>?) -> Void, maxStringBytes: Int? = nil,
        orThrow failure: (String) -> Failure, _ read: (T) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let type = unsafe withUnsafeTemporaryAllocation(of: T.self, capacity: 1) { place in
            unsafe initialise(place.baseAddress)
            return unsafe UnsafeRawPointer(place.baseAddress)?.load(as: ProtobufCMessage.self).descriptor
        }
        var refusal = BOUNDED_NONE
        let unpacked = unsafe unpack(bytes, type, maxStringBytes, &refusal)
        defer { unsafe bounded_free(unpacked) }
        guard let message = unsafe unpacked.message else { throw failure(text(of: refusal)) }
        return try unsafe read(UnsafeRawPointer(message).assumingMemoryBound(to: T.self).pointee)
    }

    @usableFromInline static func unpack(
        _ bytes: ByteBuffer, _ type: UnsafePointer<ProtobufCMessageDescriptor>?, _ maxStringBytes: Int?,
        _ refusal: inout bounded_refusal
    ) -> bounded_message {
        var limits = bounded_default_limits()
        if let maxStringBytes { limits.max_string_bytes = maxStringBytes }
        return unsafe bytes.withUnsafeReadableBytes { raw in
            unsafe bounded_unpack(
                type, raw.count, raw.baseAddress?.assumingMemoryBound(to: UInt8.self), &limits, &refusal)
        }
    }

    @usableFromInline static func text(of refusal: bounded_refusal) -> String {
        unsafe String(cString: bounded_refusal_text(refusal))
    }

    /// What one message may take to be unpacked.
    package struct Limits: Sendable {
        package var maxFields, maxUnknownFields, maxDepth, maxStringBytes, baseBytes, bytesPerByte: Int

        package init(
            maxFields: Int, maxUnknownFields: Int, maxDepth: Int, maxStringBytes: Int, baseBytes: Int, bytesPerByte: Int
        ) {
            self.maxFields = maxFields
            self.maxUnknownFields = maxUnknownFields
            self.maxDepth = maxDepth
            self.maxStringBytes = maxStringBytes
            self.baseBytes = baseBytes
            self.bytesPerByte = bytesPerByte
        }
    }

    /// Of the process. To be set before another thread unpacks.
    package static var limits: Limits {
        get {
            let limits = bounded_default_limits()
            return Limits(
                maxFields: limits.max_fields, maxUnknownFields: limits.max_unknown_fields,
                maxDepth: Int(limits.max_depth), maxStringBytes: limits.max_string_bytes, baseBytes: limits.base_bytes,
                bytesPerByte: limits.bytes_per_byte)
        }
        set {
            bounded_set_default_limits(
                bounded_limits(
                    max_fields: newValue.maxFields, max_unknown_fields: newValue.maxUnknownFields,
                    max_depth: UInt32(clamping: newValue.maxDepth), max_string_bytes: newValue.maxStringBytes,
                    base_bytes: newValue.baseBytes, bytes_per_byte: newValue.bytesPerByte))
        }
    }
}
