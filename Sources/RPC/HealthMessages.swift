import CProtobufC
import CRPCMessages
import NIOCore

/// The two messages of `grpc.health.v1`, packed and unpacked with protobuf-c.
enum HealthMessages {
    static let checkPath = "/grpc.health.v1.Health/Check"
    static let watchPath = "/grpc.health.v1.Health/Watch"
    /// A message is a name or a number; protobuf-c takes many times the memory of the bytes that it reads.
    static let maxMessageBytes = 1024

    static func request(service: String) -> ByteBuffer {
        var service = service
        return service.withUTF8 { utf8 in
            var name = unsafe utf8.map { CChar(bitPattern: $0) } + [0]
            return unsafe name.withUnsafeMutableBufferPointer { name in
                var message = unsafe Grpc__Health__V1__HealthCheckRequest()
                unsafe grpc__health__v1__health_check_request__init(&message)
                unsafe message.service = name.baseAddress
                return unsafe withUnsafePointer(to: &message) { unsafe pack($0) }
            }
        }
    }

    static func response(_ status: HealthService.Status) -> ByteBuffer {
        var message = unsafe Grpc__Health__V1__HealthCheckResponse()
        unsafe grpc__health__v1__health_check_response__init(&message)
        unsafe message.status = Grpc__Health__V1__HealthCheckResponse__ServingStatus(rawValue: status.rawValue)
        return unsafe withUnsafePointer(to: &message) { unsafe pack($0) }
    }

    /// The service that a request names.
    static func service(of request: ByteBuffer) throws(RPCError) -> String {
        try checkSize(request)
        return try unsafe BoundedProtobuf.unpack(
            "HealthCheckRequest", request, code: .invalidArgument, grpc__health__v1__health_check_request__init
        ) { (message) throws(RPCError) in
            guard let name = unsafe message.service else { return "" }
            guard let text = unsafe String(validatingCString: name) else {
                throw RPCError(
                    .invalidArgument, "the service name of a HealthCheckRequest is not UTF-8", limit: .protobuf)
            }
            return text
        }
    }

    /// A status that is not known here is `unknown`.
    static func status(of response: ByteBuffer) throws(RPCError) -> HealthService.Status {
        try checkSize(response)
        return try unsafe BoundedProtobuf.unpack(
            "HealthCheckResponse", response, code: .internal, grpc__health__v1__health_check_response__init
        ) { (message) throws(RPCError) in
            unsafe HealthService.Status(rawValue: message.status.rawValue) ?? .unknown
        }
    }

    private static func checkSize(_ message: ByteBuffer) throws(RPCError) {
        guard message.readableBytes <= maxMessageBytes else {
            throw RPCError(
                .invalidArgument, "health message has \(message.readableBytes) bytes, limit \(maxMessageBytes)",
                limit: .protobuf)
        }
    }

    /// `message` is a generated struct, which begins with its `ProtobufCMessage`.
    private static func pack<T>(_ message: UnsafePointer<T>) -> ByteBuffer {
        let base = unsafe UnsafeRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self)
        let size = unsafe protobuf_c_message_get_packed_size(base)
        var buffer = ByteBufferAllocator().buffer(capacity: size)
        unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { space in
            guard let start = space.baseAddress else { return 0 }
            return unsafe protobuf_c_message_pack(base, start.assumingMemoryBound(to: UInt8.self))
        }
        return buffer
    }
}
