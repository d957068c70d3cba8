import NIOCore

/// The answers of a DNS message (RFC 1035, section 4; RFC 2782 for SRV), as a server sent it.
///
/// Names are in lower case, without the last dot; a byte that is no plain character of a name is `\DDD`.
struct DNSMessage: Sendable, Equatable {
    enum Content: Sendable, Equatable {
        /// Port 0.
        case address(SocketAddress)
        case service(ServiceRecord)
        case alias(String)
        /// Of another type or class.
        case other
    }

    struct Record: Sendable, Equatable {
        var name: String
        var ttl: Duration
        var content: Content
    }

    /// Where a message is wrong.
    struct Malformed: Error, Equatable { var offset: Int }

    /// Aliases of aliases that are followed.
    static let maxAliases = 16

    /// The name that was asked for, with its search domain.
    private(set) var question = ""
    private(set) var answers: [Record] = []

    init(parsing bytes: [UInt8]) throws(Malformed) {
        var reader = DNSReader(bytes)
        try reader.skip(4)
        let questions = try reader.number()
        let count = try reader.number()
        try reader.skip(4)
        for _ in 0..<questions {
            question = try reader.name()
            try reader.skip(4)
        }
        // A count proves nothing: the bytes must be there.
        for _ in 0..<count { answers.append(try reader.record()) }
    }

    /// Records of the name that was asked for, or of what it is an alias of; others are none of its.
    /// - Returns: nil for `ttl` if there are none.
    func records<Value>(_ select: (Content) -> Value?) -> (values: [Value], ttl: Duration?) {
        var names: Set = [question]
        var ttl: Duration?
        func shorten(_ other: Duration) { ttl = min(ttl ?? other, other) }
        for _ in 0..<Self.maxAliases {
            let before = names.count
            for record in answers where names.contains(record.name) {
                guard case .alias(let target) = record.content, names.insert(target).inserted else { continue }
                shorten(record.ttl)
            }
            if names.count == before { break }
        }
        var values: [Value] = []
        for record in answers where names.contains(record.name) {
            guard let value = select(record.content) else { continue }
            values.append(value)
            shorten(record.ttl)
        }
        return (values, values.isEmpty ? nil : ttl)
    }

    var addresses: (values: [SocketAddress], ttl: Duration?) {
        records { if case .address(let address) = $0 { address } else { nil } }
    }

    var services: (values: [ServiceRecord], ttl: Duration?) {
        records { if case .service(let service) = $0 { service } else { nil } }
    }
}

/// One server of a service (RFC 2782).
struct ServiceRecord: Sendable, Hashable {
    /// Lower ones first; the others only when none of those can be reached.
    var priority: Int
    /// The share of the calls, among equal priorities.
    var weight: Int
    var port: Int
    var host: String
}
