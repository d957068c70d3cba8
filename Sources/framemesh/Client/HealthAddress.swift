import Foundation
import Gateway
import Logging
import Messages
import NIOCore
import NIOPosix
import RPC
import Services

/// Whom to ask, and in which way.
struct HealthAddress: Sendable {
    private enum Way: Sendable {
        case grpc(ServerAddress)
        case http(URL)
    }

    let text: String
    private let way: Way

    init(_ text: String) throws {
        self.text = text
        if text.contains("://") {
            guard let url = URL(string: text), ["http", "https"].contains(url.scheme), let host = url.host,
                !host.isEmpty
            else { throw Self.wrong(text) }
            way = .http(url)
        } else {
            guard let address = try? ServerAddress(parsing: text) else { throw Self.wrong(text) }
            way = .grpc(address)
        }
    }

    private static func wrong(_ text: String) -> Fatal {
        Fatal("'\(text)' is not HOST:PORT, unix:PATH, http://HOST:PORT or https://HOST:PORT", status: .usage)
    }

    /// What is asked.
    struct Question: Sendable {
        /// Of gRPC; empty: the whole server.
        var service = ""
        /// Of a gateway and a coordinator: whether they also have a mesh that works.
        var isReady = false
        var security = ClientSecurity()
        /// For all of it.
        var timeout: Duration
    }

    /// - Throws: `Fatal` that names the file that cannot be used.
    func ask(_ question: Question) async throws -> HealthFinding {
        switch way {
        case .grpc(let address): try await Self.ask(address, question)
        case .http(let url): await Self.ask(url, question, within: question.timeout)
        }
    }

    private static func ask(_ address: ServerAddress, _ question: Question) async throws -> HealthFinding {
        let deadline = Deadline.after(question.timeout)
        var configuration = ClientConfiguration()
        configuration.connectTimeout = question.timeout
        configuration.tls = try question.security.clientTLS()
        var logger = Logger(label: "framemesh.health") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .error
        let finding: HealthFinding
        do {
            let connection = try await RPCConnection.connect(
                to: address, configuration: configuration, group: MultiThreadedEventLoopGroup.singleton, logger: logger)
            defer { connection.close() }
            let options = CallOptions(deadline: deadline)
            let status = try await connection.checkHealth(of: question.service, options: options)
            guard status == .serving else { return .ill("NOT_SERVING") }
            return question.isReady ? try await mesh(behind: connection, question, options) : .well("SERVING")
        } catch let error as RPCError {
            finding =
                error.neverStarted || error.lostConnection
                ? .gone(error.message + error.tlsMismatch.suffix) : .ill("\(error)")
        } catch {
            finding = .gone("\(error)")
        }
        guard case .host(let host, let port) = address.named, !deadline.hasPassed else { return finding }
        // What a gateway says to somebody who speaks gRPC tells nobody what is wrong.
        let scheme = configuration.tls == nil ? "http" : "https"
        guard let url = URL(string: "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)"),
            case .status = await probe(question).ask(url, timeout: deadline.remaining)
        else { return finding }
        return .ill("speaks HTTP, not gRPC: for a gateway ask \(url.absoluteString)")
    }

    /// A coordinator serves without nodes, to say what is missing (docs/kubernetes.md, "Health"); others have none.
    private static func mesh(
        behind connection: RPCConnection, _ question: Question, _ options: CallOptions
    ) async throws -> HealthFinding {
        var calls = RPCChannelConfiguration()
        calls.interceptors = try question.security.interceptors()
        let channel = RPCChannel(OneConnection(connection, name: "coordinator"), configuration: calls)
        do {
            let states = try await VisionClient(channel).nodes(deadline: options.deadline).map(\.state)
            let ready = states.count { $0 == "ready" }
            return ready > 0 ? .well("SERVING") : .ill("SERVING, and none of its \(states.count) nodes is ready")
        } catch let error as RPCError where error.code == .unimplemented {
            return .well("SERVING")
        }
    }

    private static func ask(_ url: URL, _ question: Question, within time: Duration) async -> HealthFinding {
        let path = question.isReady ? "readyz" : "healthz"
        switch await probe(question).ask(url.appending(path: path), timeout: time) {
        case .status(200, _): return .well("200")
        case .status(let status, let reason): return .ill("\(status)" + (reason.map { ": \($0)" } ?? ""))
        case .silence(let reason): return .gone(reason)
        }
    }

    private static func probe(_ question: Question) -> GatewayProbe {
        let security = question.security
        return GatewayProbe(
            GatewayTrust(
                authorities: security.authorities, certificate: security.certificate, key: security.key,
                serverName: security.serverName))
    }
}

extension ServerAddress {
    /// With the host and port of an IP address.
    fileprivate var named: ServerAddress {
        guard case .socket(let address) = self, let host = address.ipAddress, let port = address.port else {
            return self
        }
        return .host(host, port: port)
    }
}
