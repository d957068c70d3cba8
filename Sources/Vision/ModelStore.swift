internal import Foundation

/// All models that are known here: manifests (`*.yaml`) in the bundled folder and in those of `FRAMEMESH_MODELS`;
/// their files beside the manifest, in those folders, or in the folder that `models pull` fills.
public struct ModelStore: Sendable {
    /// Manifests in one folder; beyond it is a mistake.
    private static let maxManifests = 1000

    public let pulled: String
    /// Sorted by name.
    public let models: [ModelManifest]

    /// - Parameters:
    ///   - bundled: the folder that comes with the program.
    ///   - folders: those of `FRAMEMESH_MODELS`; they win over `bundled`.
    ///   - pulled: where `models pull` puts files.
    public init(bundled: String, folders: [String], pulled: String) throws(VisionError) {
        self.pulled = pulled
        var byName: [String: ModelManifest] = [:]
        for folder in folders + [bundled] {
            var here: Set<String> = []
            for path in try Self.manifestPaths(folder) {
                let manifest = try ModelManifest.read(path: path)
                guard here.insert(manifest.name).inserted else {
                    throw VisionError(.badModel, "\(folder): two manifests are named \(manifest.name)")
                }
                guard byName[manifest.name] == nil else { continue }
                let places = [folder] + folders + [pulled]
                byName[manifest.name] = manifest.located { Self.find($0.name, in: places) }
            }
        }
        models = byName.values.sorted { $0.name < $1.name }
    }

    /// - Throws: `.notFound`, naming what there is.
    public func manifest(named name: String) throws(VisionError) -> ModelManifest {
        if let found = models.first(where: { $0.name == name }) { return found }
        let known = models.map(\.name).joined(separator: ", ")
        throw VisionError(.notFound, "no model is named \(name); there are: \(known.isEmpty ? "none" : known)")
    }

    /// Every file is here and has its sha256. - Throws: naming the model, the file and what is wrong.
    public func check(_ manifest: ModelManifest) throws(VisionError) {
        for file in manifest.files { try self.file(file).verified(model: manifest.name) }
    }

    /// With its path; a file that was pulled after the store was made is found too.
    func file(_ file: ModelFile) -> ModelFile {
        var found = file
        if found.path == nil { found.path = Self.find(file.name, in: [pulled]) }
        return found
    }

    private static func manifestPaths(_ folder: String) throws(VisionError) -> [String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw VisionError(.notFound, "folder of models \(folder) cannot be read")
        }
        let manifests = names.filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }.sorted()
        guard manifests.count <= maxManifests else {
            throw VisionError(.badModel, "\(folder): \(manifests.count) manifests exceed the limit of \(maxManifests)")
        }
        return manifests.map { (folder as NSString).appendingPathComponent($0) }
    }

    private static func find(_ name: String, in folders: [String]) -> String? {
        folders.lazy.map { ($0 as NSString).appendingPathComponent(name) }
            .first { FileManager.default.fileExists(atPath: $0) }
    }
}
