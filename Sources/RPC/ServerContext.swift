import Logging

/// What all connections of a server share.
final class ServerContext: Sendable {
    let configuration: ServerConfiguration
    let handlers: [String: RPCHandler]
    let services: [any RPCService]
    let budget: MemoryBudget
    let logger: Logger
    let headers: ResponseHeaders
    let limits = LimitCounters(side: "server")
    let connections = ConnectionRegistry()
    /// Handlers whose tasks run.
    let running = RunningCount()

    init(configuration: ServerConfiguration, services: [any RPCService], budget: MemoryBudget, logger: Logger) {
        self.configuration = configuration
        self.services = services
        self.budget = budget
        self.logger = logger
        headers = ResponseHeaders(attachmentIdentity: configuration.attachmentIdentity)
        var handlers: [String: RPCHandler] = [:]
        for service in services {
            for (method, handler) in service.methods { handlers["/\(service.serviceName)/\(method)"] = handler }
        }
        self.handlers = handlers
    }
}
