import Foundation
import Messages
import Testing

@testable import Vision

@Suite struct ModelStoreTests {
    private static func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test func aFileThatWasChangedIsRefused() throws {
        let tiny = try TinyModels()
        defer { tiny.remove() }
        let path = tiny.folder.appending(path: "bright-cells.onnx")
        var bytes = try Data(contentsOf: path)
        bytes[bytes.count / 2] ^= 0x55
        try bytes.write(to: path)
        let store = try tiny.store()
        let manifest = try store.manifest(named: "bright-cells")
        for attempt in [{ try store.check(manifest) }, { _ = try Model(manifest, store: store) }] {
            let message = Self.message(attempt)
            #expect(message.hasPrefix("model bright-cells: file \(path.path) has sha256 "), "\(message)")
        }
        try Data(count: 7).write(to: path)
        #expect(Self.message { try store.check(manifest) }.contains("7 bytes instead of"))
        #expect(Self.message { try store.check(manifest) }.contains("sha256"))
        try store.check(store.manifest(named: "mean-colour"))
    }

    @Test func aFileThatIsNotThereIsNamed() throws {
        let tiny = try TinyModels()
        defer { tiny.remove() }
        try FileManager.default.removeItem(at: tiny.folder.appending(path: "mean-colour.onnx"))
        let store = try tiny.store()
        let manifest = try store.manifest(named: "mean-colour")
        #expect(manifest.files[0].path == nil)
        let words = "model mean-colour: file mean-colour.onnx is not here; "
        let place = "name its folder in FRAMEMESH_MODELS"
        #expect(Self.message { try store.check(manifest) } == words + place)
        // Where it is published it can be pulled.
        var published = manifest.files[0]
        published.url = "https://example.org/mean-colour.onnx"
        #expect(
            Self.message { try published.verified(model: "mean-colour") }
                == words + "get it with 'framemesh models pull mean-colour', or " + place)
    }

    @Test func aFileThatWasPulledLaterIsFound() throws {
        let tiny = try TinyModels()
        let pulled = try Place.temporary()
        defer {
            tiny.remove()
            try? FileManager.default.removeItem(at: pulled)
        }
        let file = tiny.folder.appending(path: "mean-colour.onnx")
        let bytes = try Data(contentsOf: file)
        try FileManager.default.removeItem(at: file)
        let store = try ModelStore(bundled: tiny.folder.path, folders: [], pulled: pulled.path)
        try bytes.write(to: pulled.appending(path: "mean-colour.onnx"))
        try store.check(store.manifest(named: "mean-colour"))
    }

    @Test func aFolderBeforeTheBundledOneWins() throws {
        let bundled = try TinyModels()
        let own = try TinyModels()
        defer {
            bundled.remove()
            own.remove()
        }
        let path = own.folder.appending(path: "mean-colour.yaml")
        let text = try String(contentsOf: path, encoding: .utf8)
        try own.write("mean-colour", text.replacingOccurrences(of: "top_k: 2", with: "top_k: 3"))
        let store = try ModelStore(bundled: bundled.folder.path, folders: [own.folder.path], pulled: "/nonexistent")
        #expect(store.models.map(\.name) == ["bright-cells", "mean-colour", "mean-colour-caffe", "mixes-batches"])
        let manifest = try store.manifest(named: "mean-colour")
        #expect(manifest.output.topK == 3)
        #expect(manifest.files[0].path?.hasPrefix(own.folder.path) == true)
    }

    @Test func anUnknownModelIsAnsweredWithTheKnownOnes() throws {
        let tiny = try TinyModels()
        defer { tiny.remove() }
        let store = try tiny.store()
        #expect(
            Self.message { _ = try store.manifest(named: "no-such-model") }
                == "no model is named no-such-model; there are: bright-cells, mean-colour, mean-colour-caffe, mixes-batches"
        )
        #expect(
            Self.message { _ = try ModelStore(bundled: "/no/such/folder", folders: [], pulled: "") }
                == "folder of models /no/such/folder cannot be read")
    }

    @Test func labelsMustBeAsManyAsClasses() throws {
        let tiny = try TinyModels()
        defer { tiny.remove() }
        let path = tiny.folder.appending(path: "mean-colour.yaml")
        let text = try String(contentsOf: path, encoding: .utf8)
        try tiny.write("mean-colour", text.replacingOccurrences(of: "[blue, green, red]", with: "[blue, green]"))
        let message = Self.message { _ = try tiny.model("mean-colour") }
        #expect(message.hasPrefix("model mean-colour: output classes has shape 1 x 3"), "\(message)")
    }
}
