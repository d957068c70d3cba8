import Logging
import Mesh
import Messages
import NIOCore
import NIOPosix
import RPC
import Services

/// Asks a coordinator which nodes it sees ready.
enum ReadyNodes {
    static let interval: Duration = .milliseconds(50)
    static let callTimeout: Duration = .seconds(2)

    /// Asks again and again. false: cancelled before that many were ready.
    static func wait(for count: Int, of coordinator: String) async -> Bool {
        while !Task.isCancelled {
            if let ready = try? await self.count(coordinator), ready >= count { return true }
            guard (try? await Task.sleep(for: interval)) != nil else { return false }
        }
        return false
    }

    private static func count(_ coordinator: String) async throws -> Int {
        let place = try Target.HostPort(parsing: coordinator)
        let connection = try await RPCConnection.connect(
            to: try SocketAddress(ipAddress: place.host, port: place.port),
            group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "framemesh.up") { _ in SwiftLogNoOpLogHandler() })
        defer { connection.close() }
        let nodes = try await VisionClient(connection).nodes(deadline: .after(callTimeout))
        return nodes.count { $0.state == "ready" }
    }
}
