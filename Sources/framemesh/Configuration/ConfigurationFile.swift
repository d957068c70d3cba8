import Foundation
import RPC
import Yams

/// The shape of a configuration file, checked before anything is read from it: what is not known is an error.
struct ConfigurationFile: Sendable {
    static let maxBytes = 1 << 20

    /// Names under `pipelines`, in the file's order.
    private(set) var pipelines: [String] = []
    /// Where the values of keys are, and pipelines with what they have.
    private var lines: [String: Int] = [:]

    init(contentsOf path: String) throws(Fatal) {
        if let reason = FileAccess.objection(toReading: path) {
            throw Fatal("cannot read the configuration file \(path): \(reason)", status: .usage)
        }
        guard let handle = FileHandle(forReadingAtPath: path),
            let data = try? handle.read(upToCount: Self.maxBytes + 1)
        else {
            throw Fatal("cannot read the configuration file \(path), or it is empty", status: .usage)
        }
        guard data.count <= Self.maxBytes else {
            throw Fatal("the configuration file \(path) exceeds \(Self.maxBytes) bytes", status: .usage)
        }
        try self.init(parsing: String(decoding: data, as: UTF8.self), name: path)
    }

    /// - Parameter name: of the file, for errors.
    init(parsing text: String, name: String) throws(Fatal) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw Fatal("\(name) is not YAML: \(error)", status: .usage)
        }
        guard let mapping = root?.mapping else {
            throw Fatal("\(name) is not a mapping of keys to values", status: .usage)
        }
        for (key, value) in mapping { try check(key, value, under: [], name) }
    }

    /// The line in which the value of a key is; nil: the file has none.
    func line(of key: String) -> Int? { lines[key] }

    private mutating func check(_ key: Node, _ value: Node, under path: [String], _ name: String) throws(Fatal) {
        let path = path + [key.string ?? ""]
        let dotted = path.joined(separator: ".")
        func wrong(_ what: String) -> Fatal { Fatal("\(name):\(key.mark?.line ?? 0): \(what)", status: .usage) }

        if path.first == Settings.pipelineSection {
            lines[dotted] = key.mark?.line
            try checkPipeline(path, value, wrong)
        } else if Self.keys.contains(dotted) {
            guard value.scalar != nil else { throw wrong("the key '\(dotted)' takes a single value") }
            lines[dotted] = value.mark?.line
            return
        } else if !Self.sections.contains(dotted) {
            let limits = Settings.keysOfLimit { $0 == dotted }
            let near = Spelling.nearest(to: dotted, of: Settings.knownKeys + Self.sections)
            let meant = (limits.isEmpty ? [near].compactMap(\.self) : limits).map { "'\($0)'" }
            let question = meant.isEmpty ? "" : ", did you mean \(meant.joined(separator: " or "))?"
            throw wrong("unknown key '\(dotted)'\(question)")
        }
        guard let mapping = value.mapping else {
            if path.count < 3, value.null == nil { throw wrong("the key '\(dotted)' takes keys of its own") }
            return
        }
        for (key, value) in mapping { try check(key, value, under: path, name) }
    }

    private mutating func checkPipeline(_ path: [String], _ value: Node, _ wrong: (String) -> Fatal) throws(Fatal) {
        if path.count == 2 { pipelines.append(path[1]) }
        guard path.count >= 3 else { return }
        let known = Settings.PipelineKey.allCases.map(\.rawValue)
        guard path.count == 3, let key = Settings.PipelineKey(rawValue: path[2]) else {
            let near = Spelling.nearest(to: path[2], of: known) ?? known.joined(separator: ", ")
            throw wrong("unknown key '\(path.joined(separator: "."))', did you mean '\(near)'?")
        }
        let isList = key == .stages || key == .required
        guard isList == (value.sequence != nil), value.mapping == nil else {
            throw wrong("the key '\(path.joined(separator: "."))' takes \(isList ? "a list" : "a single value")")
        }
    }

    /// What keys are under.
    private static let sections =
        Set(
            Settings.knownKeys.flatMap { key in
                let parts = key.split(separator: ".")
                return (1..<max(1, parts.count)).map { parts.prefix($0).joined(separator: ".") }
            }
        ).sorted() + [Settings.pipelineSection]

    private static let keys = Set(Settings.knownKeys)
}
