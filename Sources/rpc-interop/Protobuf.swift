import CBoundedProtobuf
import CInteropMessages
import CProtobufC
import NIOCore
import RPC

/// Packs and unpacks with protobuf-c. A generated struct never leaves the closure that made it.
enum Protobuf {
    static func pack<T>(_ fill: (inout Scratch) -> UnsafeMutablePointer<T>) -> ByteBuffer {
        var scratch = Scratch()
        let message = unsafe UnsafeMutableRawPointer(fill(&scratch)).assumingMemoryBound(to: ProtobufCMessage.self)
        let size = unsafe protobuf_c_message_get_packed_size(message)
        var buffer = ByteBufferAllocator().buffer(capacity: size)
        unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { space in
            guard let start = space.baseAddress else { return 0 }
            return unsafe protobuf_c_message_pack(message, start.assumingMemoryBound(to: UInt8.self))
        }
        return buffer
    }

    /// - Parameter initialise: the generated `…__init`, which knows the type's descriptor.
    static func unpack<T, Value>(
        _ name: String, _ bytes: ByteBuffer, _ initialise: (UnsafeMutablePointer<T>?) -> Void, _ read: (T) -> Value
    ) throws -> Value {
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
            throw RPCError(.invalidArgument, "\(bytes.readableBytes) bytes are not a \(name): \(trouble)")
        }
        defer { unsafe bounded_free(unpacked) }
        return unsafe read(UnsafeRawPointer(unpacked).assumingMemoryBound(to: T.self).pointee)
    }

    static func body(_ payload: UnsafeMutablePointer<Grpc__Testing__Payload>?) -> ByteBuffer? {
        guard let payload = unsafe payload else { return nil }
        return unsafe ByteBuffer(
            bytes: UnsafeRawBufferPointer(start: payload.pointee.body.data, count: payload.pointee.body.len))
    }

    static func flag(_ flag: UnsafeMutablePointer<Grpc__Testing__BoolValue>?) -> Bool? {
        guard let flag = unsafe flag else { return nil }
        return unsafe flag.pointee.value != 0
    }

    static func status(_ status: UnsafeMutablePointer<Grpc__Testing__EchoStatus>?) -> EchoStatus? {
        guard let status = unsafe status else { return nil }
        let message = unsafe status.pointee.message.map { unsafe String(cString: $0) } ?? ""
        return EchoStatus(code: unsafe Int(status.pointee.code), message: message)
    }
}
