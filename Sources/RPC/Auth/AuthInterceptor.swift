import Synchronization

/// Lets only those call whom it knows, by bearer token (RFC 6750, section 2.1) or by the client certificate that TLS has
/// verified, and only what their scopes allow. The same rules hold for every method, also for paths that the server does
/// not have; health alone is open (`AccessRules`).
///
///     let credentials = try Credentials(contentsOf: "/etc/mesh/credentials", logger: logger)
///     let auth = AuthInterceptor(credentials: credentials)
///     let server = try await RPCServer.bind(…, interceptors: [auth], …)
///
/// A call without a good credential ends with UNAUTHENTICATED, whatever is wrong with it: the peer learns nothing more,
/// the cause is for the log. A call whose caller lacks a scope ends with PERMISSION_DENIED. Both happen at the head of the
/// request, before its body is read. The handler finds the caller in `CallContext.principal`.
///
/// Tokens are secrets: use them over TLS only.
public final class AuthInterceptor: ServerInterceptor {
    private let credentials: Mutex<Credentials>
    private let rules: AccessRules
    private let maxTokenBytes = CredentialLimits.ofProcess.maxTokenBytes

    public init(credentials: Credentials, rules: AccessRules = .init()) {
        self.credentials = Mutex(credentials)
        self.rules = rules
    }

    /// For calls that begin from now on; running ones go on.
    public func replace(_ credentials: Credentials) {
        let old = self.credentials.withLock { current in
            defer { current = credentials }
            return current
        }
        withExtendedLifetime(old) {}
    }

    public func hooks(for method: MethodDescription) -> CallHooks {
        switch rules.access(to: method) {
        case .open: .none
        case .scopes(let scopes):
            CallHooks(admit: { [self] context in
                let principal = try caller(context)
                context.principal = principal
                guard scopes.isSubset(of: principal.scopes) else {
                    let missing = scopes.subtracting(principal.scopes).min() ?? ""
                    throw RPCError(.permissionDenied, "scope '\(missing)' is needed")
                }
            })
        }
    }

    /// Why a call is not let in; for the log.
    enum Cause: String, Error, CustomStringConvertible {
        case none = "no credential"
        case malformed = "authorization is not one bearer token"
        case longToken = "the token is too long"
        case unknownToken = "the token is not known"
        case unknownCertificate = "the certificate is not known"
        var description: String { rawValue }
    }

    /// A token counts before a certificate, and a bad one is not mended by a good certificate.
    private func caller(_ context: CallContext) throws -> Principal {
        let credentials = self.credentials.withLock { $0 }
        switch Self.token(context.metadata) {
        case .bearer(let token) where token.utf8.count > maxTokenBytes: throw refusal(.longToken, limit: .tokenBytes)
        case .bearer(let token):
            guard let principal = credentials.principal(bearing: token) else { throw refusal(.unknownToken) }
            return principal
        case .malformed: throw refusal(.malformed)
        case .none: break
        }
        guard let certificate = context.certificate else { throw refusal(.none) }
        guard let principal = credentials.principal(of: certificate) else { throw refusal(.unknownCertificate) }
        return principal
    }

    private func refusal(_ cause: Cause, limit: CallLimit? = nil) -> RPCError {
        RPCError(.unauthenticated, "a valid credential is needed", cause: cause, limit: limit)
    }

    enum Authorization: Equatable { case none, malformed, bearer(Substring) }

    static func token(_ metadata: Metadata) -> Authorization {
        var found: String?
        for entry in metadata.entries where entry.key == Metadata.authorization {
            guard found == nil, case .ascii(let value) = entry.value else { return .malformed }
            found = value
        }
        guard let found else { return .none }
        let scheme = "bearer ".utf8
        // A set bit makes letters small, and leaves the space.
        let isBearer = found.utf8.prefix(scheme.count).lazy.map { $0 | 0x20 }.elementsEqual(scheme)
        let token = found.utf8.dropFirst(scheme.count)
        guard isBearer, !token.isEmpty, !token.contains(UInt8(ascii: " ")) else { return .malformed }
        return .bearer(Substring(token))
    }
}
