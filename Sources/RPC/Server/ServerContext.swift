import Logging

/// What all connections of a server share.
final class ServerContext: Sendable {
    let configuration: ServerConfiguration
    let methods: MethodTable
    /// For calls of other paths.
    let unknown: InterceptorChain?
    let services: [any RPCService]
    let budget: MemoryBudget
    let logger: Logger
    let headers: ResponseHeaders
    let acceptedEncodings: AcceptedEncodings
    let limits = LimitCounters(side: "server")
    /// nil: plain text.
    let tls: TLSContextStore?
    let connections = ConnectionRegistry()
    let handlers: FairPool
    /// Bytes of answers that wait to be sent.
    let unsent: FairPool

    init(
        configuration: ServerConfiguration, services: [any RPCService], interceptors: [any ServerInterceptor] = [],
        budget: MemoryBudget, logger: Logger, tls: TLSContextStore? = nil
    ) {
        self.configuration = configuration
        self.services = services
        self.budget = budget
        self.logger = logger
        self.tls = tls
        handlers = FairPool(limit: configuration.maxServerHandlers, share: configuration.addressShare)
        unsent = FairPool(limit: configuration.maxServerUnsentBytes, share: configuration.addressShare)
        acceptedEncodings = AcceptedEncodings(configuration.acceptedCompression)
        headers = ResponseHeaders(
            attachmentIdentity: configuration.attachmentIdentity, acceptedEncodings: acceptedEncodings.field)
        var methods = MethodTable()
        for service in services {
            for (name, handler) in service.methods {
                let method = MethodDescription(service: service.serviceName, method: name)
                methods.add(
                    ServerMethod(
                        handler, of: method, limits: service.limits(of: name), configuration,
                        interceptors: interceptors))
            }
        }
        self.methods = methods
        unknown = InterceptorChain(interceptors, method: .unknown)
    }
}
