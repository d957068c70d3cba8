import Foundation
public import Logging

extension Credentials {
    /// Reads a file in the format of `init(text:)`. Warns if others than its owner may read or write it.
    /// - Throws: `RPCError` that names the file and what is wrong with it.
    public convenience init(contentsOf path: String, logger: Logger) throws(RPCError) {
        let text: String
        do {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
            guard attributes[.type] as? FileAttributeType == .typeRegular else {
                throw RPCError(.invalidArgument, "it is not a regular file")
            }
            let size = (attributes[.size] as? NSNumber)?.intValue ?? 0
            guard size <= Self.maxFileBytes else {
                throw RPCError(.invalidArgument, "its \(size) bytes exceed limit \(Self.maxFileBytes)")
            }
            let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
            if mode & 0o077 != 0 {
                logger.warning(
                    "others than the owner have rights to the file of credentials: chmod 600 is better",
                    metadata: ["file": "\(path)", "mode": "\(String(mode, radix: 8))"])
            }
            guard let content = String(data: try Data(contentsOf: URL(fileURLWithPath: path)), encoding: .utf8) else {
                throw RPCError(.invalidArgument, "it is not UTF-8")
            }
            text = content
        } catch {
            let reason = (error as? RPCError)?.message ?? error.localizedDescription
            throw RPCError(.invalidArgument, "cannot read credentials from \(path): \(reason)", cause: error)
        }
        do {
            try self.init(text: text)
        } catch {
            throw RPCError(.invalidArgument, "\(path), \(error.message)", cause: error)
        }
    }
}
