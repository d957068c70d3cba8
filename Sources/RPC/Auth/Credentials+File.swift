import Foundation
public import Logging

extension Credentials {
    /// Reads a file in the format of `init(text:)`. Warns if others than its owner may read or write it.
    /// - Throws: `RPCError` that names the file and what is wrong with it.
    public convenience init(contentsOf path: String, logger: Logger) throws(RPCError) {
        Self.warn(of: path, logger)
        let text = try SmallFile.text(path)
        do {
            try self.init(text: text)
        } catch {
            throw RPCError(.invalidArgument, "'\(path)', \(error.message)").withheld
        }
    }

    private static func warn(of path: String, _ logger: Logger) {
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
        guard let mode = (attributes?[.posixPermissions] as? NSNumber)?.intValue, mode & 0o077 != 0 else { return }
        logger.warning(
            "others than the owner have rights to the file of credentials: chmod 600 is better",
            metadata: ["file": "\(path)", "mode": "\(String(mode, radix: 8))"])
    }
}
