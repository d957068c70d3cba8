import CBoundedProtobuf
import CProtobufC
import NIOCore

/// Unpacks messages of peers with protobuf-c, within limits of depth, fields and memory.
enum BoundedProtobuf {
    /// Unpacks `bytes`, hands the struct to `read`, and frees it.
    /// - Parameters:
    ///   - name: of the message, for the error.
    ///   - code: of the error if the bytes are no such message, or one beyond the limits.
    ///   - initialise: the generated `…__init`, which knows the type's descriptor.
    static func unpack<T, Value>(
        _ name: String, _ bytes: ByteBuffer, code: StatusCode, _ initialise: (UnsafeMutablePointer<T>?) -> Void,
        _ read: (T) throws(RPCError) -> Value
    ) throws(RPCError) -> Value {
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
            let trouble = unsafe String(cString: bounded_refusal_text(refusal))
            throw RPCError(code, "\(bytes.readableBytes) bytes are not a \(name): \(trouble)", limit: .protobuf)
        }
        defer { unsafe bounded_free(unpacked) }
        return try unsafe read(UnsafeRawPointer(unpacked).assumingMemoryBound(to: T.self).pointee)
    }
}
