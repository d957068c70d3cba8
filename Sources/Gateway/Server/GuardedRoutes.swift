import HTTPTypes
import Hummingbird
import Synchronization

/// Routes that ask the same of their callers. Every route of a gateway is added through one of these, so none is without
/// a guard, and the table of routes has them all.
///
///     PictureRoutes(services).add(to: GuardedRoutes(.analyze, router, table, services).group("/v1"))
final class GuardedRoutes: RouterMethods {
    typealias Context = GatewayContext

    /// Routes that read their parameters themselves (`Query`). All others have none.
    static let withParameters: Set<String> = [
        "POST /v1/images:analyze", "GET /v1/videos", "POST /v1/videos", "GET /v1/videos/{id}/results",
        "POST /v1/streams/{id}/frames",
    ]

    private let access: Access
    private let router: Router<GatewayContext>
    private let table: RouteTable
    private let hasCredentials: Bool

    init(_ access: Access, _ router: Router<GatewayContext>, _ table: RouteTable, hasCredentials: Bool) {
        self.access = access
        self.router = router
        self.table = table
        self.hasCredentials = hasCredentials
    }

    @discardableResult
    func on<Responder: HTTPResponder>(
        _ path: RouterPath, method: HTTPRequest.Method, responder: Responder
    ) -> Self where Responder.Context == GatewayContext {
        table.add(RouteTable.Route(method: method, path: path.description, access: access))
        router.on(
            path, method: method,
            responder: Guard(
                access: access, hasCredentials: hasCredentials,
                hasParameters: Self.withParameters.contains("\(method.rawValue) \(path.description)"), next: responder))
        return self
    }

    func add(middleware: any MiddlewareProtocol<Request, Response, GatewayContext>) -> Self {
        preconditionFailure("middleware is added to a group of these routes")
    }

    private struct Guard<Next: HTTPResponder>: HTTPResponder where Next.Context == GatewayContext {
        let access: Access
        let hasCredentials: Bool
        let hasParameters: Bool
        let next: Next

        func respond(to request: Request, context: GatewayContext) async throws -> Response {
            guard context.caller.may(access, hasCredentials: hasCredentials) else { throw refusal(of: context.caller) }
            if !hasParameters { _ = try Query(request, knowing: []) }
            return try await next.respond(to: request, context: context)
        }

        private func refusal(of caller: Caller) -> Problem {
            if !hasCredentials {
                return Problem(.forbidden, "this is for callers on the gateway's own machine, as it has no tokens")
            }
            if caller.principal == nil { return IdentifyMiddleware.refusal }
            return Problem(.forbidden, "scope '\(access.rawValue)' is needed")
        }
    }
}
