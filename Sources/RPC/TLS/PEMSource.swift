import Foundation

/// Certificates or a private key as PEM text (RFC 7468): a file, which may be exchanged at any time, or bytes in memory.
public enum PEMSource: Sendable, Hashable {
    /// Read again when it changes, also through symbolic links, as Kubernetes exchanges mounted secrets.
    case file(String)
    case bytes([UInt8])

    public static func text(_ pem: String) -> PEMSource { .bytes(Array(pem.utf8)) }

    /// A file of certificates is longer than this only by mistake.
    static let maxBytes = 1 << 20

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
        case .file(let path):
            do {
                let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
                defer { try? handle.close() }
                let bytes = try handle.read(upToCount: Self.maxBytes + 1) ?? Data()
                guard bytes.count <= Self.maxBytes else {
                    throw RPCError(.failedPrecondition, "'\(path)' is longer than \(Self.maxBytes) bytes")
                }
                return Array(bytes)
            } catch let error as RPCError {
                throw error
            } catch {
                throw RPCError(.failedPrecondition, "cannot read '\(path)': \(SystemError.text(error))")
            }
        }
    }
}
