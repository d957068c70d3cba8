import HTTPTypes
import Hummingbird

/// What pages of other origins may do: nothing, but for those that are allowed by name (CORS, Fetch standard).
///
/// A browser sends a simple POST of any page to any address; so a request that changes something and comes from another
/// origin's page is refused here, whoever it comes from.
struct CrossOrigin: RouterMiddleware {
    let allowed: Set<String>

    private static let harmless: Set<HTTPRequest.Method> = [.get, .head, .options]
    /// How long a browser remembers what it may, seconds.
    private static let maxAge = "600"

    func handle(
        _ request: Request, context: GatewayContext, next: (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        var response = try await answer(request, context, next)
        // Also to those without an origin: a cache is to tell them apart.
        if !allowed.isEmpty {
            let vary = response.headers[values: .vary] + ["Origin"]
            response.headers[.vary] = vary.joined(separator: ", ")
        }
        return response
    }

    private func answer(
        _ request: Request, _ context: GatewayContext, _ next: (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        guard let origin = request.headers[.origin] else { return try await next(request, context) }
        guard allowed.contains(origin) else {
            guard Self.harmless.contains(request.method) || isOwn(origin, of: request) else {
                return Problem(.forbidden, "pages of this origin may not call the gateway", field: "Origin").response
            }
            return try await next(request, context)
        }
        var response =
            isPreflight(request) ? Response(status: .noContent) : try await next(request, context)
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlExposeHeaders] = "Location, Retry-After"
        if isPreflight(request) {
            response.headers[.accessControlAllowMethods] = "GET, POST, PUT, DELETE"
            response.headers[.accessControlAllowHeaders] = "Authorization, Content-Type, Last-Event-ID"
            response.headers[.accessControlMaxAge] = Self.maxAge
        }
        return response
    }

    private func isPreflight(_ request: Request) -> Bool {
        request.method == .options && request.headers[.accessControlRequestMethod] != nil
    }

    /// A page of ours: the origin is the host that was asked, whatever the scheme; a proxy may speak TLS for us.
    private func isOwn(_ origin: String, of request: Request) -> Bool {
        guard let host = request.head.authority, let separator = origin.firstRange(of: "://") else { return false }
        return origin[separator.upperBound...] == host
    }
}
