import NIOCore
import Synchronization

@testable import Mesh

/// A name server whose answers the test decides.
final class Script: Sendable {
    private let answer = Mutex<[SocketAddress]?>([])

    /// nil: the look-up fails.
    func set(_ addresses: [SocketAddress]?) { answer.withLock { $0 = addresses } }

    var lookUp: @Sendable (Target.HostPort) throws -> [SocketAddress] {
        { [self] name in
            guard let addresses = answer.withLock({ $0 }) else { throw MeshError("cannot resolve '\(name.host)'") }
            return addresses
        }
    }
}
