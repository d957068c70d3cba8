/// Which fields are metadata (gRPC, `doc/PROTOCOL-HTTP2.md`, "Custom-Metadata").
extension Metadata {
    static let authorization = "authorization"

    static func isBinary(_ key: String) -> Bool { key.hasSuffix("-bin") }

    static func isLegal(key: String) -> Bool {
        !key.isEmpty
            && key.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
                    UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    static func isLegal(value: String) -> Bool { value.utf8.allSatisfy { (0x20...0x7e).contains($0) } }

    /// Without the white space that RFC 9113, section 8.2.1 does not want around a value.
    static func stripped(_ value: String) -> String {
        let text = value.utf8.drop(while: isSpace)
        return String(Substring(text.prefix(text.count - text.reversed().prefix(while: isSpace).count)))
    }

    static func hasSpaceAround(_ value: String) -> Bool {
        let bytes = value.utf8.span
        return !bytes.isEmpty && (isSpace(bytes[0]) || isSpace(bytes[bytes.count - 1]))
    }

    static func isSpace(_ character: UInt8) -> Bool { character == 0x20 || character == 0x09 }

    /// Fields of the call itself, and of HTTP/1.1 connections (RFC 9113, section 8.2.2).
    private static let reserved: Set<String> = [
        "te", "content-type", "user-agent", "framemesh-framing", "host", "connection", "keep-alive",
        "proxy-connection", "transfer-encoding", "upgrade", "content-length",
    ]
    /// They begin with `grpc-`, but applications read and write them as metadata (gRPC A6; grpc-go does the same).
    private static let openToUsers: Set<String> = [
        "grpc-status-details-bin", "grpc-retry-pushback-ms", "grpc-previous-rpc-attempts",
    ]

    /// Not for users to send.
    static func isReserved(_ key: String) -> Bool {
        reserved.contains(key) || (key.hasPrefix("grpc-") && !openToUsers.contains(key))
    }

    /// Not shown to users when received; who calls (`user-agent`) is, as with stock servers.
    static func isHidden(_ key: String) -> Bool { key != "user-agent" && isReserved(key) }
}
