/// Adds `authorization: Bearer …` to each call (RFC 6750, section 2.1).
///
/// Whoever reads a token can use it: a call is refused with UNAUTHENTICATED, and the token is not sent, where others
/// could listen: on a connection without TLS to another host.
public struct BearerTokenInterceptor: ClientInterceptor {
    private let allowsPlaintext: Bool
    private let token: @Sendable () async throws -> String

    /// - Parameters:
    ///   - allowsPlaintext: send it over any connection, for example in a network that encrypts by itself.
    ///   - token: asked once for each call, so that it may change. What it throws ends the call.
    public init(allowsPlaintext: Bool = false, token: @escaping @Sendable () async throws -> String) {
        self.allowsPlaintext = allowsPlaintext
        self.token = token
    }

    public func prepare(_ call: inout OutgoingCall) async throws {
        guard call.options.metadata.add(Metadata.authorization, "Bearer \(try await token())") else {
            throw RPCError(.unauthenticated, "the bearer token is not printable ASCII")
        }
        if !allowsPlaintext { call.options.needsPrivateConnection = true }
    }
}
