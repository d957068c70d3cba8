import CInteropMessages
import NIOCore
import ProtobufStructs

/// Parts that several of the interoperability messages have.
extension Arena {
    /// - Parameter initialise: the generated `…__init`.
    mutating func make<T>(_ initialise: (UnsafeMutablePointer<T>?) -> Void) -> UnsafeMutablePointer<T> {
        let message = unsafe allocate(T.self)
        unsafe initialise(message)
        return unsafe message
    }

    mutating func payload(_ body: ByteBuffer?) -> UnsafeMutablePointer<Grpc__Testing__Payload>? {
        guard let body else { return nil }
        let place = unsafe allocate(UInt8.self, count: body.readableBytes)
        unsafe body.withUnsafeReadableBytes { bytes in
            unsafe UnsafeMutableRawBufferPointer(start: place, count: bytes.count).copyMemory(from: bytes)
        }
        let payload = unsafe make(grpc__testing__payload__init)
        unsafe payload.pointee.body.len = body.readableBytes
        unsafe payload.pointee.body.data = unsafe place
        return unsafe payload
    }

    mutating func flag(_ value: Bool?) -> UnsafeMutablePointer<Grpc__Testing__BoolValue>? {
        guard let value else { return nil }
        let flag = unsafe make(grpc__testing__bool_value__init)
        unsafe flag.pointee.value = value ? 1 : 0
        return unsafe flag
    }

    mutating func status(_ status: EchoStatus?) -> UnsafeMutablePointer<Grpc__Testing__EchoStatus>? {
        guard let status else { return nil }
        let message = unsafe make(grpc__testing__echo_status__init)
        unsafe message.pointee.code = Int32(clamping: status.code)
        unsafe message.pointee.message = unsafe string(status.message)
        return unsafe message
    }
}
