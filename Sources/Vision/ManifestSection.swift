internal import Yams

/// One mapping of a manifest: gives out values by key, and at the end names the keys that nobody asked for.
struct ManifestSection {
    let file: String
    /// Key of the mapping itself, with a dot behind; empty at the top.
    let path: String
    private var left: [String: Node] = [:]

    init(_ node: Node, file: String, path: String) throws(VisionError) {
        self.file = file
        self.path = path
        guard let mapping = node.mapping else {
            throw VisionError(.badModel, "\(file): \(path.isEmpty ? "it" : String(path.dropLast())) is no mapping")
        }
        for (key, value) in mapping {
            guard let name = key.scalar?.string else { throw VisionError(.badModel, "\(file): a key is no text") }
            left[name] = value
        }
    }

    func wrong(_ key: String, _ what: String) -> VisionError {
        VisionError(.badModel, "\(file): \(path)\(key) \(what)")
    }

    /// Call when all known keys were asked for.
    func finish() throws(VisionError) {
        if let unknown = left.keys.min() { throw VisionError(.badModel, "\(file): unknown key \(path)\(unknown)") }
    }

    mutating func node(_ key: String) -> Node? { left.removeValue(forKey: key) }

    private mutating func required(_ key: String) throws(VisionError) -> Node {
        guard let node = node(key) else { throw wrong(key, "is missing") }
        return node
    }

    mutating func text(_ key: String) throws(VisionError) -> String {
        let node = try required(key)
        guard let text = node.scalar?.string, !text.isEmpty else { throw wrong(key, "must be a text") }
        return text
    }

    mutating func textIfAny(_ key: String) throws(VisionError) -> String? {
        left[key] == nil ? nil : try text(key)
    }

    mutating func whole(_ key: String, _ range: ClosedRange<Int>, otherwise: Int? = nil) throws(VisionError) -> Int {
        if let otherwise, left[key] == nil { return otherwise }
        let text = try text(key)
        guard let value = Int(text), range.contains(value) else {
            throw wrong(key, "must be a whole number from \(range.lowerBound) to \(range.upperBound), not \(text)")
        }
        return value
    }

    mutating func number(
        _ key: String, _ range: ClosedRange<Float>, otherwise: Float? = nil
    ) throws(VisionError) -> Float {
        if let otherwise, left[key] == nil { return otherwise }
        return try Self.number(try required(key), range) { self.wrong(key, $0) }
    }

    /// One number for all channels, or a list with one for each.
    mutating func numbers(_ key: String, _ range: ClosedRange<Float>, count: Int) throws(VisionError) -> [Float] {
        let node = try required(key)
        guard let list = node.sequence else {
            return Array(repeating: try Self.number(node, range) { self.wrong(key, $0) }, count: count)
        }
        guard list.count == count else {
            throw wrong(key, "has \(list.count) numbers, but there are \(count) channels")
        }
        return try list.numbers(range) { self.wrong(key, $0) }
    }

    mutating func flag(_ key: String, otherwise: Bool) throws(VisionError) -> Bool {
        guard let node = node(key) else { return otherwise }
        guard let value = node.bool else { throw wrong(key, "must be true or false") }
        return value
    }

    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String, _: Choice.Type, otherwise: Choice? = nil
    ) throws(VisionError) -> Choice {
        if let otherwise, left[key] == nil { return otherwise }
        let text = try text(key)
        guard let value = Choice(rawValue: text) else {
            let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw wrong(key, "must be one of \(all), not \(text)")
        }
        return value
    }

    /// A list of texts; nil where the key is not there.
    mutating func texts(_ key: String) throws(VisionError) -> [String]? {
        guard let node = node(key) else { return nil }
        let texts = node.sequence?.compactMap { $0.scalar?.string } ?? []
        guard !texts.isEmpty, texts.count == node.sequence?.count else { throw wrong(key, "must be a list of texts") }
        return texts
    }

    mutating func sectionIfAny(_ key: String) throws(VisionError) -> ManifestSection? {
        guard let node = node(key) else { return nil }
        return try ManifestSection(node, file: file, path: "\(path)\(key).")
    }

    mutating func section(_ key: String) throws(VisionError) -> ManifestSection {
        guard let section = try sectionIfAny(key) else { throw wrong(key, "is missing") }
        return section
    }

    /// A list of mappings; empty where the key is not there.
    mutating func sections(_ key: String) throws(VisionError) -> [ManifestSection] {
        guard let node = node(key) else { return [] }
        guard let list = node.sequence else { throw wrong(key, "must be a list") }
        var sections: [ManifestSection] = []
        for (index, element) in list.enumerated() {
            sections.append(try ManifestSection(element, file: file, path: "\(path)\(key)[\(index)]."))
        }
        return sections
    }

    fileprivate static func number(
        _ node: Node, _ range: ClosedRange<Float>, _ wrong: (String) -> VisionError
    ) throws(VisionError) -> Float {
        let text = node.scalar?.string ?? "a list or mapping"
        guard let value = Float(text), range.contains(value) else {
            throw wrong("must be a number from \(range.lowerBound) to \(range.upperBound), not \(text)")
        }
        return value
    }
}

extension Node.Sequence {
    func numbers(
        _ range: ClosedRange<Float>, _ wrong: (String) -> VisionError
    ) throws(VisionError) -> [Float] {
        var values: [Float] = []
        for element in self { values.append(try ManifestSection.number(element, range, wrong)) }
        return values
    }
}
