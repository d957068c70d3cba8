import HTTPTypes
import Hummingbird
import Logging
import NIOHTTP1
import RPC

/// Turns every error into its `Problem`, and writes into the log what the peer is not told.
struct ProblemMiddleware: RouterMiddleware {
    let routes: RouteTable
    let metrics: GatewayMetrics
    private let lines = LineGates()

    init(routes: RouteTable, metrics: GatewayMetrics) {
        self.routes = routes
        self.metrics = metrics
    }

    func handle(
        _ request: Request, context: GatewayContext, next: (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPParserError {
            // The rest of the connection makes no sense: the server answers 400 and closes it.
            throw error
        } catch {
            var problem = Problem(error)
            if (error as? HTTPError)?.status == .notFound { problem = routes.absence(of: request) }
            if let limit = problem.limit { metrics.refused(by: limit.name) }
            log(problem, of: request, in: context)
            return problem.response
        }
    }

    private func log(_ problem: Problem, of request: Request, in context: GatewayContext) {
        let level: Logger.Level = problem.status.code >= 500 ? .warning : .debug
        let route = context.route ?? ""
        guard context.logger.logLevel <= level, let skipped = lines.pass("\(problem.status.code) \(route)") else {
            return
        }
        var fields: Logger.Metadata = [
            "status": "\(problem.status.code)", "method": "\(request.method.rawValue)", "route": "\(route)",
            "detail": "\(problem.detail)", "cause": "\(problem.cause.map(SystemError.forLog) ?? "")",
            "caller": "\(context.caller)",
        ]
        if skipped > 0 { fields["skipped"] = "\(skipped)" }
        context.logger.log(level: level, "request refused", metadata: fields)
    }
}
