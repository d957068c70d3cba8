import Evaluation
import Foundation
import RPC

/// What is in the folder of a data set; its layout says which kind it is.
enum Dataset: Sendable {
    /// COCO: annotations in JSON, and where pictures may be.
    case objects(annotations: String, folders: [String])
    /// A folder of pictures for each class.
    case classes([ClassFolder])
    /// The MOT Challenge: videos as pictures, with `gt/gt.txt`.
    case videos([VideoFolder])

    struct ClassFolder: Sendable {
        var name: String
        var path: String
    }

    struct VideoFolder: Sendable {
        var name: String
        var path: String
        var truth: String { path + "/gt/gt.txt" }
        var info: String { path + "/seqinfo.ini" }
    }

    static let maxBytes = 1 << 30

    /// - Parameter annotations: of COCO, where they are not where they are looked for.
    /// - Throws: `Fatal` that says what a data set looks like.
    init(at folder: String, annotations: String?) throws(Fatal) {
        let entries: [String]
        do {
            entries = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw Fatal("cannot read the directory \(folder): \(SystemError.text(error))", status: .usage)
        }
        if let annotations {
            self = Self.objects(annotations, in: folder)
            return
        }
        let folders = entries.sorted().filter { !$0.hasPrefix(".") && Self.isFolder("\(folder)/\($0)") }
        if Self.isFile("\(folder)/gt/gt.txt") {
            let name = URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent
            self = .videos([VideoFolder(name: name, path: folder)])
            return
        }
        let videos = folders.filter { Self.isFile("\(folder)/\($0)/gt/gt.txt") }
        if !videos.isEmpty {
            self = .videos(videos.map { VideoFolder(name: $0, path: "\(folder)/\($0)") })
            return
        }
        let found = Self.annotations(in: folder)
        guard found.count < 2 else {
            throw Fatal(
                "\(folder) has \(found.count) files of annotations, name one with --annotations: "
                    + found.joined(separator: ", "), status: .usage)
        }
        if let first = found.first {
            self = Self.objects(first, in: folder)
            return
        }
        let classes = folders.map { ClassFolder(name: $0, path: "\(folder)/\($0)") }
        guard !classes.isEmpty else {
            throw Fatal(
                """
                \(folder) is no data set: there are no COCO annotations (annotations.json, annotations/instances_*.json), no \
                gt/gt.txt of the MOT Challenge, and no folders of pictures, one for each class
                """, status: .usage)
        }
        self = .classes(classes)
    }

    private static func objects(_ annotations: String, in folder: String) -> Dataset {
        // `instances_val2017.json` is of the pictures in `val2017`.
        let stem = URL(fileURLWithPath: annotations).deletingPathExtension().lastPathComponent
        let split = stem.split(separator: "_").last.map(String.init) ?? stem
        return .objects(annotations: annotations, folders: [folder, "\(folder)/images", "\(folder)/\(split)"])
    }

    private static func annotations(in folder: String) -> [String] {
        for candidate in [folder, folder + "/annotations"] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: candidate)) ?? []
            // Beside folders of classes there may be other JSON.
            let found = names.sorted().filter {
                $0.hasSuffix(".json") && ($0.hasPrefix("instances_") || $0.contains("annotations"))
            }
            if !found.isEmpty { return found.map { "\(candidate)/\($0)" } }
        }
        return []
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    static func isFile(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) && !isFolder(path) }

    /// Whole, up to `maxBytes`.
    /// - Throws: `Fatal` that names it.
    static func read(_ path: String) throws(Fatal) -> Data {
        let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
        if let size, size > maxBytes { throw Fatal("\(path) has \(size) bytes, limit \(maxBytes)", status: .usage) }
        if let reason = FileAccess.objection(toReading: path) {
            throw Fatal("cannot read \(path): \(reason)", status: .usage)
        }
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw Fatal("cannot read \(path): \(SystemError.text(error))", status: .usage)
        }
    }

    /// Whether a file can be written there; what is there stays as it is.
    /// - Throws: `Fatal` that names it.
    static func checkPlace(of path: String) throws(Fatal) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path + "/"
        let reason = isFolder(path) ? "it is a directory" : FileAccess.objection(toWriting: folder)
        if let reason { throw Fatal("cannot write \(path): \(reason)", status: .usage) }
    }

    /// Whole or not at all.
    /// - Throws: `Fatal` that names it.
    static func write(_ data: Data, to path: String) throws(Fatal) {
        do {
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw Fatal("cannot write \(path): \(SystemError.text(error))", status: .usage)
        }
    }

    /// - Throws: `Fatal` that names it.
    static func text(_ path: String) throws(Fatal) -> String { String(decoding: try read(path), as: UTF8.self) }

    /// - Throws: `Fatal` that names the file in which something is wrong.
    static func parsing<Value>(_ path: String, _ body: () throws -> Value) throws(Fatal) -> Value {
        do {
            return try body()
        } catch {
            throw Fatal("\(path): \(error)", status: .usage)
        }
    }
}
