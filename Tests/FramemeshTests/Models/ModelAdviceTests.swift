import Foundation
import Testing

@testable import Vision
@testable import framemesh

/// What is advised of a model whose files are not here can be done.
@Suite struct ModelAdviceTests {
    private static let manifests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
        path: "../../../Sources/framemesh/Resources/models")

    /// Manifests alone, without a file of theirs.
    private static func advice(_ name: String) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "manifests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = "\(name).yaml"
        try FileManager.default.copyItem(at: manifests.appending(path: file), to: folder.appending(path: file))
        let store = try ModelStore(bundled: folder.path, folders: [], pulled: "/nonexistent")
        return ModelsCheckCommand.advice(try store.manifest(named: name))
    }

    @Test func oneThatIsPublishedIsPulled() throws {
        #expect(try Self.advice("yolo-fastest-1.1") == "try: framemesh models pull yolo-fastest-1.1")
    }

    @Test func filesWithoutAURLAreBroughtByWhoeverHasThem() throws {
        #expect(
            try Self.advice("digits-classifier")
                == "put digits-classifier.onnx, digits.names into a folder that FRAMEMESH_MODELS names "
                + "(the manifest names no URL for it)")
    }

    /// Its labels are published, its network is not.
    @Test func theRestIsPulledBehindThem() throws {
        #expect(
            try Self.advice("squeezenet-1.1")
                == "put squeezenet_v1.1.onnx into a folder that FRAMEMESH_MODELS names "
                + "(the manifest names no URL for it); then: framemesh models pull squeezenet-1.1")
    }
}
