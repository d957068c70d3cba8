import HTTPTypes
package import Hummingbird
import NIOCore
package import Results

/// An answer that is one JSON object.
package struct JSONAnswer: ResponseGenerator, Sendable {
    package var status: HTTPResponse.Status
    package var headers: HTTPFields
    private let body: ByteBuffer

    package init(
        _ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], _ fields: (inout JSONText) -> Void
    ) {
        self.status = status
        self.headers = headers
        var json = JSONText()
        json.object(fields)
        body = ByteBuffer(bytes: json.bytes)
    }

    package var response: Response {
        var headers = headers
        headers[.contentType] = "application/json"
        if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
        return Response(status: status, headers: headers, body: .init(byteBuffer: body))
    }

    package func response(from request: Request, context: some RequestContext) -> Response { response }
}
