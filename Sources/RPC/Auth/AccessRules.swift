/// Which methods need which scopes.
///
///     var rules = AccessRules()
///     rules[.service("shop.v1.Orders")] = .scopes(["orders"])
///     rules[.method("shop.v1.Orders", "Delete")] = .scopes(["orders", "admin"])
///
/// The most special rule counts: of a method before of its service before of everything. Rules are looked up once per
/// method, when the server starts, and by the name under which it is registered; at a call no text of the peer is
/// matched against them. So there is no second spelling of a path that a rule does not see.
public struct AccessRules: Sendable, Equatable {
    public enum Pattern: Sendable, Hashable {
        case everything
        /// For example `.service("shop.v1.Orders")`.
        case service(String)
        /// For example `.method("shop.v1.Orders", "Delete")`.
        case method(String, String)
    }

    public enum Access: Sendable, Equatable {
        /// Anybody may call, without a credential.
        case open
        /// Who has proved who it is, and has all of these scopes.
        case scopes(Set<String>)

        /// Who has proved who it is.
        public static let authenticated = Access.scopes([])
    }

    /// Load balancers ask for it, before they know anything.
    private static let builtIn: [Pattern: Access] = [.service("grpc.health.v1.Health"): .open]

    private var rules = AccessRules.builtIn.merging([.everything: .authenticated]) { $1 }
    /// Those whose rules are as somebody wanted.
    private var given: Set<Pattern> = []

    /// Everything needs a credential, health excepted.
    public init() {}

    /// nil takes a rule back; everything without a rule needs a credential.
    public subscript(pattern: Pattern) -> Access? {
        get { rules[pattern] }
        set {
            rules[pattern] = newValue
            given.insert(pattern)
        }
    }

    func access(to method: MethodDescription) -> Access {
        let special =
            method.isKnown
            ? rules[.method(method.service, method.method)] ?? rules[.service(method.service)] : nil
        return special ?? rules[.everything] ?? .authenticated
    }

    /// Rules for services and methods that `services` do not have: a misspelt one protects nothing. The rule for health
    /// that nobody gave is not among them.
    public func unused(by services: [any RPCService]) -> [Pattern] {
        rules.keys.filter { pattern in
            switch pattern {
            case .everything: return false
            case _ where Self.builtIn[pattern] != nil && !given.contains(pattern): return false
            case .service(let name): return !services.contains { $0.serviceName == name }
            case .method(let name, let method):
                return !services.contains { $0.serviceName == name && $0.methods[method] != nil }
            }
        }
    }
}
