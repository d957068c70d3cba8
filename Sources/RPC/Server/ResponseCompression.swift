import Synchronization

/// How the answers of one call are compressed: open to the handler until the first one goes out, then fixed, since
/// `grpc-encoding` goes with the head.
struct ResponseCompression: ~Copyable {
    private static let fixed: UInt8 = 0x80

    /// A number of `number(_:)`, and whether it is fixed.
    private let state: Atomic<UInt8>

    init(_ compression: Compression) { state = Atomic(Self.number(compression)) }

    private static func number(_ compression: Compression) -> UInt8 {
        switch compression {
        case .identity: 0
        case .gzip: 1
        case .deflate: 2
        }
    }

    /// Ignored once it is fixed.
    func choose(_ compression: Compression) {
        let now = state.load(ordering: .relaxed)
        guard now & Self.fixed == 0 else { return }
        _ = state.compareExchange(expected: now, desired: Self.number(compression), ordering: .relaxed)
    }

    /// What holds from here on.
    func fix() -> Compression {
        var now = state.load(ordering: .relaxed)
        if now & Self.fixed == 0 { now = state.bitwiseOr(Self.fixed, ordering: .relaxed).oldValue }
        switch now & ~Self.fixed {
        case 1: return .gzip
        case 2: return .deflate
        default: return .identity
        }
    }
}
