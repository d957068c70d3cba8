import GRPCCore
import GRPCNIOTransportHTTP2Posix

/// Requests stay as the transport holds them, so that nothing is copied: the cheapest codec that the API allows.
struct RawDeserializer: MessageDeserializer {
    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> GRPCNIOTransportBytes {
        if let same = bytes as? GRPCNIOTransportBytes { return same }
        return bytes.withUnsafeBytes { GRPCNIOTransportBytes($0) }
    }
}

struct RawSerializer: MessageSerializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: GRPCNIOTransportBytes) throws -> Bytes {
        if let same = message as? Bytes { return same }
        return message.withUnsafeBytes { Bytes($0) }
    }
}
