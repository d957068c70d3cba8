/// Certificates or a private key as PEM text (RFC 7468): a file, which may be exchanged at any time, or bytes in memory.
public enum PEMSource: Sendable, Hashable {
    /// Read again when it changes, also through symbolic links, as Kubernetes exchanges mounted secrets.
    case file(String)
    case bytes([UInt8])

    public static func text(_ pem: String) -> PEMSource { .bytes(Array(pem.utf8)) }

    var isFile: Bool { if case .file = self { true } else { false } }

    /// For messages: the file, or what it is.
    var name: String {
        switch self {
        case .file(let path): "'\(path)'"
        case .bytes: "PEM text given in memory"
        }
    }

    /// Blocks.
    func read() throws(RPCError) -> [UInt8] {
        switch self {
        case .bytes(let bytes): return bytes
        case .file(let path): return try SmallFile.read(path)
        }
    }
}
