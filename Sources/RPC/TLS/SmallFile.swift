import Foundation

/// A file that is read whole: certificates, keys, tokens, rules.
enum SmallFile {
    /// Blocks.
    /// - Throws: FAILED_PRECONDITION that names the file and what is wrong with it.
    static func read(_ path: String) throws(RPCError) -> [UInt8] {
        let most = CredentialLimits.ofProcess.maxFileBytes
        let bytes: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            bytes = try handle.read(upToCount: most + 1) ?? Data()
        } catch {
            throw RPCError(.failedPrecondition, "cannot read '\(path)': \(SystemError.text(error))").withheld
        }
        guard bytes.count <= most else {
            throw RPCError(.failedPrecondition, "'\(path)' is longer than \(most) bytes").withheld
        }
        return Array(bytes)
    }

    /// Blocks.
    /// - Throws: as `read`; also if it is not UTF-8.
    static func text(_ path: String) throws(RPCError) -> String {
        guard let text = String(validating: try read(path), as: UTF8.self) else {
            throw RPCError(.failedPrecondition, "'\(path)' is not UTF-8").withheld
        }
        return text
    }
}
