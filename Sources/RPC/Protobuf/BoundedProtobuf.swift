import NIOCore
import ProtobufStructs

/// Unpacks messages of peers with protobuf-c, within limits of depth, fields and memory.
enum BoundedProtobuf {
    /// Those of the process, also for the messages of other modules.
    static var limits: ProtobufLimits {
        get {
            let limits = ProtobufStruct.limits
            return ProtobufLimits(
                maxFields: limits.maxFields, maxUnknownFields: limits.maxUnknownFields, maxDepth: limits.maxDepth,
                maxStringBytes: limits.maxStringBytes, baseBytes: limits.baseBytes, bytesPerByte: limits.bytesPerByte)
        }
        set {
            ProtobufStruct.limits = ProtobufStruct.Limits(
                maxFields: newValue.maxFields, maxUnknownFields: newValue.maxUnknownFields,
                maxDepth: newValue.maxDepth, maxStringBytes: newValue.maxStringBytes, baseBytes: newValue.baseBytes,
                bytesPerByte: newValue.bytesPerByte)
        }
    }

    /// Unpacks `bytes`, hands the struct to `read`, and frees it.
    /// - Parameters:
    ///   - name: of the message, for the error.
    ///   - code: of the error if the bytes are no such message, or one beyond the limits.
    ///   - initialise: the generated `…__init`, which knows the type's descriptor.
    static func unpack<T, Value>(
        _ name: String, _ bytes: ByteBuffer, code: StatusCode, _ initialise: (UnsafeMutablePointer<T>?) -> Void,
        _ read: (T) throws(RPCError) -> Value
    ) throws(RPCError) -> Value {
        try unsafe ProtobufStruct.unpack(
            bytes, initialise,
            orThrow: { trouble in
                RPCError(code, "\(bytes.readableBytes) bytes are not a \(name): \(trouble)", limit: .protobuf)
            }, read)
    }
}
