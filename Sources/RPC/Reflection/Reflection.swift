/// Server reflection, `grpc.reflection.v1` and `v1alpha`: tells a client which services a server has and what their
/// messages look like, so that tools such as grpcurl need no .proto files.
///
///     let services: [any RPCService] = [greeter, health]
///     let reflection = try Reflection.services(describing: services)
///     let server = try await RPCServer.bind(host: host, port: port, services: services + reflection, …)
///
/// What a service says of itself is its `RPCService.descriptors`.
public enum Reflection {
    /// A client asks a few times per service.
    public static let defaultMaxRequests = 10_000
    /// A name is longer in no sensible schema.
    public static let defaultMaxRequestBytes = 4096
    public static let defaultMaxAnswerBytes = 1 << 20

    /// - Parameters:
    ///   - maxRequests: of one stream; over it RESOURCE_EXHAUSTED.
    ///   - maxRequestBytes: of one request, which is a name; over it RESOURCE_EXHAUSTED.
    ///   - maxAnswerBytes: of one answer, a file with all that it imports; over it RESOURCE_EXHAUSTED.
    /// - Throws: `RPCError` INTERNAL if descriptors are malformed, incomplete or contradict each other.
    public static func services(
        describing services: [any RPCService], maxRequests: Int = Reflection.defaultMaxRequests,
        maxRequestBytes: Int = Reflection.defaultMaxRequestBytes,
        maxAnswerBytes: Int = Reflection.defaultMaxAnswerBytes
    ) throws(RPCError) -> [any RPCService] {
        let names = versions.map { "grpc.reflection.\($0).ServerReflection" }
        let index = try DescriptorIndex(
            services: services.map(\.serviceName) + names, sets: services.compactMap(\.descriptors) + [.rpc],
            maxAnswerBytes: maxAnswerBytes)
        return names.map {
            ReflectionService(
                serviceName: $0, index: index, maxRequests: maxRequests, maxRequestBytes: maxRequestBytes)
        }
    }

    /// The two are the same but for their names.
    private static let versions = ["v1", "v1alpha"]
}

struct ReflectionService: RPCService {
    let serviceName: String
    let index: DescriptorIndex
    let maxRequests: Int
    let maxRequestBytes: Int

    var descriptors: DescriptorSet? { .rpc }

    func limits(of method: String) -> MethodLimits {
        MethodLimits(maxRequestBytes: maxRequestBytes)
    }

    var methods: [String: RPCHandler] {
        [
            "ServerReflectionInfo": .stream { [index, maxRequests] _, requests, responses in
                var count = 0
                for try await request in requests {
                    count += 1
                    guard count <= maxRequests else {
                        throw RPCError(
                            .resourceExhausted, "more than \(maxRequests) reflection requests on one stream",
                            limit: .reflectionRequests)
                    }
                    let answer = try index.answer(try ReflectionMessages.query(request.message))
                    try await responses.write(Payload(ReflectionMessages.response(answer, to: request.message)))
                }
            }
        ]
    }
}
