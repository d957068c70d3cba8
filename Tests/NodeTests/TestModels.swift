import Foundation
import Messages
import NIOCore
import Vision

/// The models and pictures that the project ships.
enum TestModels {
    static let detector = "digits-detector"
    static let classifier = "digits-classifier"

    static var folder: URL { resources.appending(path: "models") }

    private static let resources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources/framemesh/Resources")

    static func store() throws -> ModelStore {
        try ModelStore(
            bundled: folder.path, folders: [],
            pulled: FileManager.default.temporaryDirectory.path)
    }

    static func model(_ name: String) throws -> Model {
        let store = try store()
        return try Model(try store.manifest(named: name), store: store)
    }

    /// Compressed pictures of numbers, in the order of their names.
    static func pictures() throws -> [ByteBuffer] {
        let folder = resources.appending(path: "demo")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("numbers-") }
        return try names.sorted().map { ByteBuffer(bytes: try Data(contentsOf: folder.appending(path: $0))) }
    }

    static func frame(_ bytes: ByteBuffer, sequence: UInt64 = 0) -> Frame {
        Frame(stream: "test", sequence: sequence, payload: .attached(bytes))
    }
}
