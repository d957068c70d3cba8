import Crypto
import Foundation
import NIOCore
import RPC

/// The page's files, in memory: what is served is what was there at the start, and no path of a request ever reaches the
/// file system.
struct PageAssets: Sendable {
    struct Asset: Sendable {
        var bytes: ByteBuffer
        /// Of the bytes, in quotes (RFC 9110, section 8.8.3).
        var tag: String
        var type: String
    }

    /// What the page may be, so that a wrong folder is not read whole.
    static let maxFiles = 200
    static let maxBytes = 16 << 20

    private static let types = [
        "html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8",
        "svg": "image/svg+xml", "png": "image/png", "ico": "image/vnd.microsoft.icon", "json": "application/json",
        "webmanifest": "application/manifest+json", "txt": "text/plain; charset=utf-8",
    ]

    /// By path in the folder; `index.html` is among them.
    let files: [String: Asset]
    let apiDescription: Asset

    /// Blocks.
    /// - Throws: `GatewayError` that names the file.
    init(page: String, apiDescription: String) throws(GatewayError) {
        let folder = URL(fileURLWithPath: page)
        guard let paths = try? FileManager.default.subpathsOfDirectory(atPath: folder.path) else {
            throw GatewayError("there is no folder with the page at \(page)")
        }
        var files: [String: Asset] = [:]
        var total = 0
        for path in paths.sorted() {
            guard let type = Self.types[URL(fileURLWithPath: path).pathExtension] else { continue }
            let asset = try Self.read(folder.appending(path: path), type)
            files[path] = asset
            total += asset.bytes.readableBytes
            guard files.count <= Self.maxFiles, total <= Self.maxBytes else {
                throw GatewayError("the page at \(page) exceeds \(Self.maxFiles) files or \(Self.maxBytes) bytes")
            }
        }
        guard files["index.html"] != nil else { throw GatewayError("there is no index.html at \(page)") }
        self.files = files
        self.apiDescription = try Self.read(URL(fileURLWithPath: apiDescription), "application/yaml")
    }

    private static func read(_ file: URL, _ type: String) throws(GatewayError) -> Asset {
        let data: Data
        do {
            data = try Data(contentsOf: file)
        } catch {
            throw GatewayError("cannot read \(file.path): \(SystemError.text(error))", cause: error)
        }
        let digest = SHA256.hash(data: data).prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return Asset(bytes: ByteBuffer(bytes: data), tag: "\"\(digest)\"", type: type)
    }
}
