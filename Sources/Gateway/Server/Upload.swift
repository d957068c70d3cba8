import HTTPTypes
package import Hummingbird
import NIOCore

/// The body of a request as it comes, never more than a limit.
///
///     let upload = try Upload(of: request, in: context, limit: limits.maxPictureBytes, named: "max-picture-bytes")
///     for try await part in upload { … }
///
/// What is refused before it is read, such as what is too large by its own word, is refused before the peer sends it, where
/// the peer asks (`Expect: 100-continue`).
package struct Upload: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer

    /// Bytes that the header promises; nil: it does not say.
    package let declaredBytes: Int?
    private let body: RequestBody
    private let limit: Int
    private let name: String
    /// Of a peer that waits to be told to send its body; nil: it does not wait.
    private let waiting: (any Channel)?

    /// - Parameters:
    ///   - limit: bytes.
    ///   - name: of the limit, for the error.
    /// - Throws: `Problem`, 413 or 415.
    package init(of request: Request, in context: GatewayContext, limit: Int, named name: String) throws {
        self.limit = limit
        self.name = name
        body = request.body
        waiting = request.headers[.expect] == nil ? nil : context.channel
        if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw Problem(
                .unsupportedMediaType, "the body is taken as it is, without a coding", field: "Content-Encoding")
        }
        declaredBytes = request.headers[.contentLength].flatMap { Int($0) }
        if let declaredBytes, declaredBytes > limit {
            throw Self.tooLarge("the body has \(declaredBytes) bytes, which is more", limit, name)
        }
    }

    /// All of it.
    package func collect() async throws -> ByteBuffer {
        var whole = ByteBuffer()
        whole.reserveCapacity(firstCapacity)
        for try await part in self { whole.writeImmutableBuffer(part) }
        return whole
    }

    /// What is taken at a peer's word.
    private static let mostAtWord = 256 << 10

    /// Of a buffer for all of it.
    var firstCapacity: Int { Swift.min(declaredBytes ?? 0, Self.mostAtWord) }

    package func makeAsyncIterator() -> Iterator {
        waiting?.triggerUserOutboundEvent(BodyWanted(), promise: nil)
        return Iterator(body: body.makeAsyncIterator(), limit: limit, name: name)
    }

    package struct Iterator: AsyncIteratorProtocol {
        var body: RequestBody.AsyncIterator
        let limit: Int
        let name: String
        private(set) var count = 0

        package mutating func next() async throws -> ByteBuffer? {
            guard let part = try await body.next() else { return nil }
            count += part.readableBytes
            if count > limit { throw Upload.tooLarge("the body is larger", limit, name) }
            return part
        }
    }

    /// - Parameter what: "the body is larger", of which the limit says than what.
    static func tooLarge(_ what: String, _ limit: Int, _ name: String) -> Problem {
        Problem(.contentTooLarge, "\(what) than the limit of \(limit) bytes", limit: (name, Double(limit)))
    }
}
