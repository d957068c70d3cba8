import Foundation
import Messages
import NIOCore
import Testing

@testable import Vision

/// Where things lie, from this file's own place.
enum Place {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let bundled = root.appending(path: "Sources/framemesh/Resources/models")
    /// Real models and pictures, which the project does not carry.
    static let shared: URL? = {
        let folder = root.appending(path: "../shared").standardizedFileURL
        return FileManager.default.fileExists(atPath: folder.appending(path: "models/manifest.json").path)
            ? folder : nil
    }()

    static func announceSkip(_ what: String) -> Bool {
        if shared == nil { print("SKIPPED: \(what), there is no ../shared/models") }
        return shared != nil
    }

    static func store() throws -> ModelStore {
        let folder = try #require(shared).appending(path: "models").path
        return try ModelStore(bundled: bundled.path, folders: [folder], pulled: "/nonexistent")
    }

    static func picture(_ name: String) throws -> Image {
        let url = try #require(shared).appending(path: "golden/pictures/\(name)")
        return try Image(decoding: Frame(Data(contentsOf: url)))
    }

    static func temporary() throws -> URL {
        let url = FileManager.default.temporaryDirectory.appending(path: "vision-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }
}

extension Frame {
    init(_ data: Data, _ encoding: Encoding = .auto, width: Int = 0, height: Int = 0, rowStride: Int = 0) {
        self.init(
            encoding: encoding, width: width, height: height, rowStride: rowStride,
            payload: .inline(ByteBuffer(bytes: data)))
    }
}
