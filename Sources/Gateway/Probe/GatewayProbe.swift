import AsyncHTTPClient
package import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import RPC

/// Asks a gateway from outside how it is, as probes and scripts do.
package struct GatewayProbe: Sendable {
    package enum Answer: Sendable, Equatable {
        /// Of HTTP, and why, where it is a problem.
        case status(Int, String?)
        /// There was none.
        case silence(String)
    }

    /// All that a gateway has said.
    package struct Reply: Sendable {
        package var status: Int
        /// Of the header `date`: what its clock shows, to the second.
        package var date: String?
        package var body: Data

        /// Why, where it is a problem.
        package var reason: String? { (try? JSONDecoder().decode(Reason.self, from: body))?.detail }
    }

    /// What is asked.
    package struct Question: Sendable {
        package var url: URL
        /// A picture to be analysed; nil: a GET.
        package var picture: Data?
        package var token: String?

        package init(_ url: URL, picture: Data? = nil, token: String? = nil) {
            self.url = url
            self.picture = picture
            self.token = token
        }
    }

    /// Of an answer that is looked at.
    private static let maxBytes = 1 << 20

    private let trust: GatewayTrust

    package init(_ trust: GatewayTrust = GatewayTrust()) { self.trust = trust }

    /// - Parameter timeout: for all of it.
    package func ask(_ url: URL, timeout: Duration) async -> Answer {
        switch await reply(to: Question(url), timeout: timeout) {
        case .success(let reply): .status(reply.status, reply.reason)
        case .failure(let silence): .silence(silence.reason)
        }
    }

    /// There was no answer.
    package struct Silence: Error, Equatable {
        package enum Cause: Sendable { case time, tls, other }

        package var cause: Cause
        /// In words.
        package var reason: String
    }

    /// - Parameter timeout: for all of it.
    package func reply(to question: Question, timeout: Duration) async -> Result<Reply, Silence> {
        do {
            return .success(try await reply(to: question, by: .now() + TimeAmount(timeout), within: timeout))
        } catch {
            return .failure(Silence(error))
        }
    }

    private func reply(
        to question: Question, by deadline: NIODeadline, within timeout: Duration
    ) async throws -> Reply {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = TimeAmount(timeout)
        configuration.connectionPool.retryConnectionEstablishment = false
        let target = try trust.place(question.url, &configuration)
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            var request = HTTPClientRequest(url: target.absoluteString)
            if let token = question.token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
            if let picture = question.picture {
                request.method = .POST
                request.headers.add(name: "content-type", value: "image/png")
                request.body = .bytes(ByteBuffer(bytes: picture))
            }
            let response = try await client.execute(request, deadline: deadline)
            let body = try await Self.all(of: response.body, by: deadline)
            try? await client.shutdown()
            return Reply(
                status: Int(response.status.code), date: response.headers.first(name: "date"),
                body: Data(body.readableBytesView))
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    /// The client's own deadline is that of the head: who stops in the middle of an answer would be waited for without end.
    private static func all(of body: HTTPClientResponse.Body, by deadline: NIODeadline) async throws -> ByteBuffer {
        try await withThrowingTaskGroup(of: ByteBuffer.self) { tasks in
            defer { tasks.cancelAll() }
            tasks.addTask { try await body.collect(upTo: maxBytes) }
            tasks.addTask {
                try await Task.sleep(for: .nanoseconds((deadline - NIODeadline.now()).nanoseconds))
                throw HTTPClientError.deadlineExceeded
            }
            return try await tasks.next() ?? ByteBuffer()
        }
    }

    private struct Reason: Decodable {
        var detail: String?
    }
}

extension GatewayProbe.Silence {
    /// Of a request of AsyncHTTPClient that failed.
    package init(_ error: any Error) {
        switch error {
        case is NIOSSLError, is BoringSSLError:
            self.init(
                cause: .tls,
                reason:
                    "no TLS: it speaks plain HTTP (http://), or has a certificate that is not trusted here (--tls-ca)")
        // The name in a certificate is looked at when the handshake is over.
        case is NIOSSLExtraError: self.init(cause: .tls, reason: SystemError.text(error))
        case is HTTPParserError:
            self.init(
                cause: .other,
                reason: "it speaks no HTTP: TLS is asked by https://, roles that speak gRPC by HOST:PORT")
        case is NIOTooManyBytesError: self.init(cause: .other, reason: "an answer with more bytes than are taken")
        case let error as HTTPClientError: self.init(http: error)
        default: self.init(cause: .other, reason: SystemError.text(error))
        }
    }

    private init(http error: HTTPClientError) {
        switch error {
        case .deadlineExceeded, .connectTimeout, .readTimeout: self.init(cause: .time, reason: "no answer in time")
        case .remoteConnectionClosed:
            self.init(cause: .other, reason: "the connection was closed before the answer was here")
        case .getConnectionFromPoolTimeout: self.init(cause: .other, reason: "no connection of ours was free in time")
        default: self.init(cause: .other, reason: error.shortDescription)
        }
    }
}
