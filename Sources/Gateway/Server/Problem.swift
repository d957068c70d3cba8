package import HTTPTypes
package import Hummingbird
import NIOCore
package import Results

/// Why a request is not answered as asked: `application/problem+json` (RFC 9457).
///
///     {"type":"about:blank","title":"Content Too Large","status":413,"detail":"…","limit_name":"max-picture-bytes"}
///
/// All of it but `cause` is for the peer: no paths, no addresses, nothing of how the gateway is built.
package struct Problem: Error, Sendable, HTTPResponseError {
    package var status: HTTPResponse.Status
    /// One sentence that names the thing and the number.
    package var detail: String
    /// The field of the request, parameter or part that is wrong.
    package var field: String?
    /// The limit that the request went beyond, by the name that a flag sets it by, and its value: a count, bytes or seconds.
    package var limit: (name: String, value: Double)?
    package var headers: HTTPFields = [:]
    /// For the log.
    package var cause: (any Error)?

    package init(
        _ status: HTTPResponse.Status, _ detail: String, field: String? = nil,
        limit: (name: String, value: Double)? = nil, cause: (any Error)? = nil
    ) {
        self.status = status
        self.detail = detail
        self.field = field
        self.limit = limit
        self.cause = cause
    }

    /// When to come again: HTTP's `Retry-After`, in whole seconds, at least one.
    package func retry(after wait: Duration) -> Problem {
        var problem = self
        let (seconds, attoseconds) = wait.components
        problem.headers[.retryAfter] = String(max(1, seconds + (attoseconds > 0 ? 1 : 0)))
        return problem
    }

    /// The document, also as a part of another one.
    package func write(to json: inout JSONText) {
        json.object { json in
            json.field("type", "about:blank")
            json.field("title", status.reasonPhrase)
            json.field("status", status.code)
            json.field("detail", detail)
            if let field { json.field("field", field) }
            if let limit {
                json.field("limit", limit.value, decimals: 3)
                json.field("limit_name", limit.name)
            }
        }
    }

    package var response: Response {
        var json = JSONText()
        write(to: &json)
        var headers = headers
        headers[.contentType] = "application/problem+json"
        headers[.cacheControl] = "no-store"
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: json.text + "\n")))
    }

    package func response(from request: Request, context: some RequestContext) -> Response { response }
}
