import CRPCMessages
import NIOCore
import ProtobufStructs

/// The messages of `grpc.health.v1`, those of Check and Watch packed and unpacked with protobuf-c.
enum HealthMessages {
    static let checkPath = "/grpc.health.v1.Health/Check"
    static let watchPath = "/grpc.health.v1.Health/Watch"
    static let listPath = "/grpc.health.v1.Health/List"

    static func request(service: String) -> ByteBuffer {
        var service = service
        return service.withUTF8 { utf8 in
            var name = unsafe utf8.map { CChar(bitPattern: $0) } + [0]
            return unsafe name.withUnsafeMutableBufferPointer { name in
                var message = unsafe Grpc__Health__V1__HealthCheckRequest()
                unsafe grpc__health__v1__health_check_request__init(&message)
                unsafe message.service = name.baseAddress
                return unsafe withUnsafePointer(to: &message) { unsafe ProtobufStruct.pack($0) }
            }
        }
    }

    static func response(_ status: HealthService.Status) -> ByteBuffer {
        var message = unsafe Grpc__Health__V1__HealthCheckResponse()
        unsafe grpc__health__v1__health_check_response__init(&message)
        unsafe message.status = Grpc__Health__V1__HealthCheckResponse__ServingStatus(rawValue: status.rawValue)
        return unsafe withUnsafePointer(to: &message) { unsafe ProtobufStruct.pack($0) }
    }

    /// The service that a request names.
    static func service(of request: ByteBuffer) throws(RPCError) -> String {
        try unsafe BoundedProtobuf.unpack(
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
        try unsafe BoundedProtobuf.unpack(
            "HealthCheckResponse", response, code: .internal, grpc__health__v1__health_check_response__init
        ) { (message) throws(RPCError) in
            unsafe HealthService.Status(rawValue: message.status.rawValue) ?? .unknown
        }
    }

    /// A `HealthListResponse`: a map, which protobuf-c would need a tree of pointers for.
    static func list(_ statuses: [String: HealthService.Status]) -> ByteBuffer {
        .protobuf { response in
            for (service, status) in statuses.sorted(by: { $0.key < $1.key }) {
                response.writeField(1) { entry in
                    entry.writeField(1, service)
                    entry.writeField(2, Self.response(status))
                }
            }
        }
    }

    static func statuses(of list: ByteBuffer) throws(RPCError) -> [String: HealthService.Status] {
        do {
            var statuses: [String: HealthService.Status] = [:]
            var reader = ProtobufReader(list)
            while let field = try reader.next() {
                guard field.number == 1, case .bytes(let entry) = field.value else { continue }
                let (service, status) = try readEntry(entry)
                statuses[service] = status
            }
            return statuses
        } catch {
            throw RPCError(
                .internal, "bytes are not a HealthListResponse: \(error.what)", cause: error, limit: .protobuf)
        }
    }

    private static func readEntry(
        _ entry: ByteBuffer
    ) throws(ProtobufReader.Malformed) -> (service: String, HealthService.Status) {
        var service = ""
        var status: UInt64 = 0
        var reader = ProtobufReader(entry)
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (1, let value): service = value.text ?? ""
            case (2, .bytes(let response)):
                var reader = ProtobufReader(response)
                while let field = try reader.next() {
                    if field.number == 1, case .varint(let value) = field.value { status = value }
                }
            default: break
            }
        }
        return (service, HealthService.Status(rawValue: UInt32(clamping: status)) ?? .unknown)
    }
}
