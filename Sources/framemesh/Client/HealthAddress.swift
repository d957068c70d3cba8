import Foundation
import FoundationNetworking
import Logging
import NIOPosix
import RPC

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
        if text.hasPrefix("http://") {
            guard let url = URL(string: text), url.host != nil else {
                throw Fatal("'\(text)' is not http://HOST:PORT", status: .usage)
            }
            way = .http(url.appending(path: "healthz"))
        } else {
            guard let address = try? ServerAddress(parsing: text) else {
                throw Fatal("'\(text)' is not HOST:PORT, unix:PATH or http://HOST:PORT", status: .usage)
            }
            way = .grpc(address)
        }
    }

    /// - Parameter timeout: seconds, for all of it.
    func ask(_ service: String, tls: ClientTLS?, timeout: Double) async -> HealthFinding {
        switch way {
        case .grpc(let address): await Self.ask(address, service, tls, .seconds(timeout))
        case .http(let url): await Self.ask(url, timeout)
        }
    }

    private static func ask(
        _ address: ServerAddress, _ service: String, _ tls: ClientTLS?, _ timeout: Duration
    ) async -> HealthFinding {
        let deadline = Deadline.after(timeout)
        var configuration = ClientConfiguration()
        configuration.connectTimeout = timeout
        configuration.tls = tls
        var logger = Logger(label: "framemesh.health") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .error
        do {
            let connection = try await RPCConnection.connect(
                to: address, configuration: configuration, group: MultiThreadedEventLoopGroup.singleton, logger: logger)
            defer { connection.close() }
            let status = try await connection.checkHealth(of: service, options: CallOptions(deadline: deadline))
            return status == .serving ? .well("SERVING") : .ill("NOT_SERVING")
        } catch let error as RPCError {
            return error.neverStarted || error.lostConnection ? .gone(error.message) : .ill("\(error)")
        } catch {
            return .gone("\(error)")
        }
    }

    private static func ask(_ url: URL, _ timeout: Double) async -> HealthFinding {
        let settings = URLSessionConfiguration.ephemeral
        settings.timeoutIntervalForRequest = timeout
        settings.timeoutIntervalForResource = timeout
        let session = URLSession(configuration: settings)
        defer { session.finishTasksAndInvalidate() }
        do {
            let (_, response) = try await session.data(from: url)
            let status = (response as? HTTPURLResponse)?.statusCode ?? 0
            return status == 200 ? .well("200") : .ill("\(status)")
        } catch {
            return .gone(error.localizedDescription)
        }
    }
}
