import HTTPTypes
import Hummingbird
import Traces
import Tracing

/// Makes requests spans: below those of their callers, if they name one, or of traces that begin here. What runs for a request
/// works for its trace.
struct TraceMiddleware: RouterMiddleware {
    let tracer: MeshTracer

    func handle(
        _ request: Request, context: GatewayContext, next: (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        let caller = TraceContext(in: request.headers)
        // Only what asks for work may begin a trace: looks at the page and its state come by the second.
        guard caller != nil || request.method == .post else { return try await next(request, context) }
        let work = tracer.begin("HTTP \(request.method.rawValue)", .server, below: caller, isRemote: true)
        guard let span = work.span else { return try await work.run { try await next(request, context) } }
        span.updateAttributes {
            $0["http.request.method"] = request.method.rawValue
            $0["url.path"] = request.uri.path
        }
        do {
            let response = try await work.run { try await next(request, context) }
            span.finish(context.route, request.method, response.status)
            return response
        } catch {
            span.recordError(error)
            span.finish(context.route, request.method, nil)
            throw error
        }
    }
}

extension MeshSpan {
    /// - Parameters:
    ///   - route: nil: there is none for the request.
    ///   - status: nil: it was not answered.
    fileprivate func finish(_ route: String?, _ method: HTTPRequest.Method, _ status: HTTPResponse.Status?) {
        if let route {
            operationName = "\(method.rawValue) \(route)"
            attributes["http.route"] = route
        }
        if let status { attributes["http.response.status_code"] = status.code }
        if status.map({ $0.code >= 500 }) ?? true { setStatus(SpanStatus(code: .error)) }
        end()
    }
}

extension TraceContext {
    fileprivate init?(in fields: HTTPFields) {
        guard let parent = HTTPField.Name(Self.parentField), let state = HTTPField.Name(Self.stateField) else {
            return nil
        }
        self.init(parents: fields[values: parent], states: fields[values: state])
    }
}
