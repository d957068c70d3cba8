import NIOCore
import Synchronization

@testable import Mesh

/// The name server of `srv:///nodes.test`: which addresses it has is the test's.
final class Script: NameService {
    static let target = "srv:///nodes.test"
    private let answer = Mutex<[SocketAddress]?>([])

    /// nil: there is no answer.
    func set(_ addresses: [SocketAddress]?) { answer.withLock { $0 = addresses } }

    func services(of name: String) async -> DNSReply<ServiceRecord> {
        guard let addresses = answer.withLock({ $0 }) else { return .failed("cannot resolve '\(name)'") }
        guard !addresses.isEmpty else { return .none("'\(name)' has no services") }
        let records = addresses.map {
            ServiceRecord(priority: 0, weight: 0, port: $0.port ?? 0, host: $0.ipAddress ?? "")
        }
        return .found(records, ttl: .zero)
    }

    /// Services name addresses here.
    func addresses(of names: [String]) async -> [AddressReply] {
        names.map { name in
            let reply = DNSReply<SocketAddress>.none("there is no name '\(name)'")
            return AddressReply(v4: reply, v6: reply)
        }
    }
}
