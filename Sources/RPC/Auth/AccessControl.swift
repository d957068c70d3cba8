/// Who may call a server, and what.
public struct AccessControl: Sendable {
    public var credentials: Credentials
    public var rules: AccessRules

    public init(credentials: Credentials, rules: AccessRules = .init()) {
        self.credentials = credentials
        self.rules = rules
    }

    /// What stands before `services`, which are all that the server has.
    /// - Throws: `RPCError` INVALID_ARGUMENT that names a rule for what is not among them: one that is misspelt protects
    ///   nothing.
    public func interceptor(guarding services: [any RPCService]) throws(RPCError) -> AuthInterceptor {
        if let unused = rules.unused(by: services).map(\.description).min() {
            let names = services.flatMap { service in
                [service.serviceName] + service.methods.keys.map { "\(service.serviceName)/\($0)" }
            }
            let near = Spelling.nearest(to: unused, of: names).map { ", did you mean '\($0)'?" } ?? ""
            throw RPCError(
                .invalidArgument, "an access rule is for '\(unused)', which this server does not have\(near)")
        }
        return AuthInterceptor(credentials: credentials, rules: rules)
    }
}
