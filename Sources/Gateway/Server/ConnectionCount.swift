import NIOCore
import RPC
import Synchronization

/// The connections that are open, of all peers and of each.
final class ConnectionCount: Sendable {
    private struct State {
        var all = 0
        var ofAddress: [AddressBlock: Int] = [:]
    }

    private let limits: ConnectionLimits
    private let state = Mutex(State())

    init(_ limits: ConnectionLimits) { self.limits = limits }

    /// nil: it is counted, until `remove`. Otherwise the name of the limit that it is beyond.
    func add(_ address: AddressBlock?) -> String? {
        state.withLock { state in
            guard state.all < limits.maxConnections else { return "max-connections" }
            if let address {
                let count = state.ofAddress[address] ?? 0
                guard count < limits.maxConnectionsPerAddress else { return "max-connections-per-address" }
                state.ofAddress[address] = count + 1
            }
            state.all += 1
            return nil
        }
    }

    func remove(_ address: AddressBlock?) {
        state.withLock { state in
            state.all -= 1
            guard let address, let count = state.ofAddress[address] else { return }
            state.ofAddress[address] = count > 1 ? count - 1 : nil
        }
    }

    var count: Int { state.withLock { $0.all } }
}
