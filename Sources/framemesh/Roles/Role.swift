import Foundation
import Mesh
import NIOCore

/// The life of a process that serves: it says where, serves until it is told to end, drains, and ends with 0.
enum Role {
    static func serve(at address: SocketAddress, _ run: @Sendable @escaping () async throws -> Void) async throws {
        try await Interrupts.run {
            print("ready \(address.endpointName)")
            // Whoever started us waits for the line.
            fflush(nil)
            do {
                try await run()
            } catch is CancellationError where Task.isCancelled {
                // Told to end, and ended.
            }
        }
    }
}
