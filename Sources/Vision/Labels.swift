internal import Messages

/// The names of a model's classes, by index.
struct Labels {
    let names: [String]

    init(_ manifest: ModelManifest, store: ModelStore) throws(VisionError) {
        switch manifest.labels {
        case .list(let list): names = list
        case .file(let file):
            let text = String(decoding: try store.file(file).verifiedBytes(model: manifest.name), as: UTF8.self)
            var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
                line.hasSuffix("\r") ? String(line.dropLast()) : String(line)
            }
            while lines.last == "" { lines.removeLast() }
            names = lines
        }
        let wanted = manifest.description.labelCount
        guard names.count == wanted else {
            throw VisionError(.badModel, "model \(manifest.name): \(names.count) labels for \(wanted) classes")
        }
    }

    subscript(index: Int) -> String { names.indices.contains(index) ? names[index] : "class \(index)" }
}
