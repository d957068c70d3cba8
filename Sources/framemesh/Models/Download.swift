import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import RPC

/// One HTTP request whose body is handed over as it comes.
struct Download: Sendable {
    static let connectTimeout: TimeAmount = .seconds(30)
    /// Between two pieces of the body.
    static let stallTimeout: TimeAmount = .seconds(30)
    /// For the whole of one request.
    static let wholeTimeout: TimeAmount = .hours(1)
    static let maxRedirects = 5

    /// Why it ended early.
    struct Failure: Error, Sendable, Equatable {
        var reason: String
        /// It would end so again.
        var isFinal = false

        init(_ reason: String, isFinal: Bool = false) {
            self.reason = reason
            self.isFinal = isFinal
        }

        fileprivate init(_ error: any Error) {
            if let error = error as? HTTPClientError {
                self.init(error.shortDescription, isFinal: error == .proxyAuthenticationRequired)
            } else {
                let reason = SystemError.text(error)
                self.init(reason, isFinal: reason.hasPrefix("TLS: the peer's certificate"))
            }
        }
    }

    /// What the receiver says to each event.
    enum Verdict: Sendable { case goOn, stop }

    let url: URL
    /// nil: the server itself is asked.
    var proxy: HTTPClient.Configuration.Proxy?

    /// - Parameters:
    ///   - offset: of the first byte that is wanted.
    ///   - answered: given the status and headers; `stop` ends the request.
    ///   - received: given each piece of the body.
    /// - Throws: `Failure` if it ended early and was not stopped; a `Fatal` of these as it is.
    func run(
        from offset: UInt64, answered: (HTTPClientResponse) throws(Fatal) -> Verdict,
        received: (ByteBuffer) throws(Fatal) -> Verdict
    ) async throws {
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let end = NIODeadline.now() + Self.wholeTimeout
            let response = try await client.execute(request(from: offset), deadline: end)
            var verdict = try answered(response)
            var pieces = response.body.makeAsyncIterator()
            while verdict == .goOn, let piece = try await pieces.next() {
                // The client's own deadline is that of the headers.
                guard .now() < end else { throw HTTPClientError.deadlineExceeded }
                verdict = try received(piece)
            }
            try? await client.shutdown()
        } catch {
            try? await client.shutdown()
            throw error is Fatal ? error : Failure(error)
        }
    }

    private var configuration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.timeout = HTTPClient.Configuration.Timeout(connect: Self.connectTimeout, read: Self.stallTimeout)
        configuration.redirectConfiguration = .follow(max: Self.maxRedirects, allowCycles: false)
        configuration.httpVersion = .http1Only
        configuration.proxy = proxy
        // Requests are counted where they are decided.
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }

    private func request(from offset: UInt64) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url.absoluteString)
        // Bytes as they are: a compressed body has other offsets.
        request.headers = ["user-agent": "framemesh", "accept-encoding": "identity"]
        if offset > 0 { request.headers.add(name: "range", value: "bytes=\(offset)-") }
        return request
    }
}
