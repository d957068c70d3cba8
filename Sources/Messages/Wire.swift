import CBoundedProtobuf
import CMessages
import CProtobufC
import NIOCore

/// Packs and unpacks with protobuf-c. A generated struct lives in an arena while it is packed, and never leaves the
/// closure that unpacked it.
enum Wire {
    /// Runs `fill`, which builds a message in the arena, and packs what it returns.
    static func pack<T>(_ fill: (inout Arena) -> UnsafeMutablePointer<T>) -> ByteBuffer {
        var arena = Arena()
        let message = unsafe UnsafeMutableRawPointer(fill(&arena)).assumingMemoryBound(to: ProtobufCMessage.self)
        let size = unsafe protobuf_c_message_get_packed_size(message)
        var buffer = ByteBufferAllocator().buffer(capacity: size)
        unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { space in
            guard let start = space.baseAddress else { return 0 }
            return unsafe protobuf_c_message_pack(message, start.assumingMemoryBound(to: UInt8.self))
        }
        return buffer
    }

    /// Unpacks `bytes` within limits, hands the struct to `read`, and frees it.
    /// - Parameter initialise: the generated `…__init`, which knows the type's descriptor.
    static func unpack<T, Value>(
        _ name: String, _ bytes: ByteBuffer,
        _ initialise: (UnsafeMutablePointer<T>?) -> Void,
        _ read: (T) throws(MessageError) -> Value
    ) throws(MessageError) -> Value {
        let type = unsafe withUnsafeTemporaryAllocation(of: T.self, capacity: 1) { place in
            unsafe initialise(place.baseAddress)
            return unsafe UnsafeRawPointer(place.baseAddress)?.load(as: ProtobufCMessage.self).descriptor
        }
        var refusal = BOUNDED_NONE
        let unpacked = unsafe bytes.withUnsafeReadableBytes { raw in
            unsafe bounded_unpack(
                type, raw.count, raw.baseAddress?.assumingMemoryBound(to: UInt8.self), nil, &refusal)
        }
        guard let unpacked = unsafe unpacked else {
            throw MessageError("bytes are not a \(name): \(unsafe String(cString: bounded_refusal_text(refusal)))")
        }
        defer { unsafe bounded_free(unpacked) }
        return try unsafe read(UnsafeRawPointer(unpacked).assumingMemoryBound(to: T.self).pointee)
    }

    static func text(_ pointer: UnsafeMutablePointer<CChar>?) throws(MessageError) -> String {
        guard let pointer = unsafe pointer else { return "" }
        guard let text = unsafe String(validatingCString: pointer) else { throw MessageError("a string is not UTF-8") }
        return text
    }

    /// The elements of a repeated message field.
    static func list<T, Value>(
        _ count: Int, _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<T>?>?,
        _ read: (T) throws(MessageError) -> Value
    ) throws(MessageError) -> [Value] {
        guard let pointers = unsafe pointers else { return [] }
        var values: [Value] = []
        values.reserveCapacity(count)
        for i in 0..<count {
            guard let element = unsafe pointers[i] else { continue }
            values.append(try unsafe read(element.pointee))
        }
        return values
    }
}

extension Wire {
    /// The elements of a repeated string field.
    static func strings(
        _ count: Int, _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) throws(MessageError) -> [String] {
        guard let pointers = unsafe pointers else { return [] }
        var values: [String] = []
        for i in 0..<count { values.append(try unsafe text(pointers[i])) }
        return values
    }
}
