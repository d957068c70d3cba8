import NIOCore
import NIOPosix
import RPC

/// Whether a port can be listened at, asked before parts are started that would have to end again.
enum FreePort {
    /// - Throws: `Fatal` in the words of a part that finds it taken.
    static func check(_ port: Int) async throws(Fatal) {
        // Any is free.
        guard port != 0 else { return }
        do {
            let probe = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: MeshPlan.host, port: port).get()
            try await probe.close()
        } catch {
            throw Fatal(
                "cannot listen on \(MeshPlan.host):\(port): \(SystemError.text(error))", status: .unreachable)
        }
    }
}
