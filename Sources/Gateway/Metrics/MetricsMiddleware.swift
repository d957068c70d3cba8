import HTTPTypes
import Hummingbird

/// Counts every request with what became of it.
struct MetricsMiddleware: RouterMiddleware {
    let metrics: GatewayMetrics

    func handle(
        _ request: Request, context: GatewayContext, next: (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        let begin = ContinuousClock.now
        let response = try await next(request, context)
        metrics.answered(
            route: context.route, method: request.method.rawValue, status: response.status.code,
            after: begin.duration(to: .now))
        return response
    }
}
