import CInteropMessages
import NIOCore
import ProtobufStructs
import RPC

/// Reads the structs of the interoperability messages.
enum InteropStruct {
    /// - Throws: INVALID_ARGUMENT if the bytes are no such message.
    static func unpack<T, Value>(
        _ name: String, _ bytes: ByteBuffer, _ initialise: (UnsafeMutablePointer<T>?) -> Void, _ read: (T) -> Value
    ) throws -> Value {
        try unsafe ProtobufStruct.unpack(
            bytes, initialise,
            orThrow: { RPCError(.invalidArgument, "\(bytes.readableBytes) bytes are not a \(name): \($0)") },
            { (message) throws(RPCError) in read(message) })
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
