import Foundation
import Vision

/// Where the files of a model are.
enum ModelPlace: Sendable, Hashable {
    /// With the program.
    case bundled
    /// All of them in other folders.
    case here([String])
    /// These are missing.
    case missing([String])

    init(_ manifest: ModelManifest, bundled folder: String) {
        let missing = manifest.files.filter { $0.path == nil }.map(\.name)
        guard missing.isEmpty else {
            self = .missing(missing)
            return
        }
        var folders: [String] = []
        for path in manifest.files.compactMap(\.path) {
            let parent = URL(fileURLWithPath: path).deletingLastPathComponent().standardizedFileURL.path
            if !folders.contains(parent) { folders.append(parent) }
        }
        let own = URL(fileURLWithPath: folder).standardizedFileURL.path
        self = folders == [own] ? .bundled : .here(folders)
    }

    var isHere: Bool {
        if case .missing = self { false } else { true }
    }

    var text: String {
        switch self {
        case .bundled: "bundled"
        case .here(let folders): folders.joined(separator: ", ")
        case .missing(let files): "not here: \(files.joined(separator: ", "))"
        }
    }
}
