import HTTPTypes
import Hummingbird
import RPC

/// Finds out who calls, and keeps each caller within its rate. What a caller may do, each route says (`Access`).
struct IdentifyMiddleware: RouterMiddleware {
    let credentials: Credentials?
    let file: CredentialsFile?
    let rates: CallerRates
    let limits: RateLimits

    func handle(
        _ request: Request, context: GatewayContext, next: (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        if let credentials = await file?.current() ?? credentials {
            context.caller.principal = try principal(of: request, in: context, credentials)
        }
        // Probes of an orchestrator may share an address with a caller that asks too often.
        let isProbe = HealthRoutes.paths.contains(request.uri.path)
        if !isProbe, let wait = rates.wait(of: context.caller, now: .now) {
            throw Problem(
                .tooManyRequests, "more than \(limits.requestsPerSecond) requests a second",
                limit: ("requests-per-second", Double(limits.requestsPerSecond))
            ).retry(after: wait)
        }
        return try await next(request, context)
    }

    /// - Throws: 401, whatever is wrong: the peer learns nothing more.
    private func principal(
        of request: Request, in context: GatewayContext, _ credentials: Credentials
    ) throws -> Principal? {
        switch BearerToken(request.headers) {
        case .none: return nil
        case .malformed: break
        case .token(let token):
            // First: behind one proxy, a guesser must not lock out all others.
            if let principal = credentials.principal(bearing: token) { return principal }
        }
        if let wait = rates.waitOfGuesser(at: context.caller.address, now: .now) {
            throw Problem(
                .tooManyRequests, "too many unknown tokens",
                limit: ("bad-tokens-per-minute", Double(limits.badTokensPerMinute))
            ).retry(after: wait)
        }
        throw Self.refusal
    }

    static var refusal: Problem {
        var problem = Problem(.unauthorized, "a valid bearer token is needed")
        problem.headers[.wwwAuthenticate] = "Bearer"
        return problem
    }
}
