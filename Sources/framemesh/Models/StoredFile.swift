import Crypto
import Foundation
import RPC

/// A file of a model on disk.
struct StoredFile {
    private static let chunkBytes = 1 << 20

    let path: String

    /// Bytes; nil: no such file.
    var size: UInt64? {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return nil }
        return (attributes[.size] as? NSNumber)?.uint64Value
    }

    /// Of its bytes, lower-case hexadecimal; read in pieces.
    func sha256() throws -> String {
        var hash = SHA256()
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            while let chunk = try handle.read(upToCount: Self.chunkBytes), !chunk.isEmpty { hash.update(data: chunk) }
        } catch {
            throw Fatal("cannot read \(path): \(SystemError.text(error))")
        }
        return hash.finalize().map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
