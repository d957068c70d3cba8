import HTTPTypes
import Hummingbird

/// Counts every request with what became of it.
struct MetricsMiddleware: RouterMiddleware {
    let metrics: GatewayMetrics

    /// What Hummingbird calls the route of a request that has none.
    private static let noRoute = "NotFound"

    func handle(
        _ request: Request, context: GatewayContext, next: (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        let begin = ContinuousClock.now
        let response = try await next(request, context)
        let path = context.endpointPath
        metrics.answered(
            route: path == Self.noRoute ? nil : path, method: request.method.rawValue, status: response.status.code,
            after: begin.duration(to: .now))
        return response
    }
}
