import NIOCore

/// What came of one question.
enum DNSReply<Record: Sendable>: Sendable {
    case found([Record], ttl: Duration)
    /// The server knows: there is no such name, or it has no such records.
    case none(String)
    /// Nobody knows.
    case failed(String)

    var trouble: String? {
        switch self {
        case .found: nil
        case .none(let reason), .failed(let reason): reason
        }
    }

    var ttl: Duration? { if case .found(_, let ttl) = self { ttl } else { nil } }
}

/// What came of the questions for the addresses of one name.
struct AddressReply: Sendable {
    var v4: DNSReply<SocketAddress>
    var v6: DNSReply<SocketAddress>

    init(v4: DNSReply<SocketAddress>, v6: DNSReply<SocketAddress>) {
        self.v4 = v4
        self.v6 = v6
    }

    /// All that a file, or the name itself, says.
    init(known addresses: [SocketAddress]) {
        self.init(v4: .found(addresses, ttl: .seconds(Int32.max)), v6: .none("not asked for"))
    }
}

/// Where names are looked up. Ends by itself, within a time; sooner when its task is cancelled.
protocol NameService: Sendable {
    /// One reply for each name.
    func addresses(of names: [String]) async -> [AddressReply]
    func services(of name: String) async -> DNSReply<ServiceRecord>
}
