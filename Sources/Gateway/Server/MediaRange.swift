/// One entry of an `Accept` header (RFC 9110, section 12.5.1).
struct MediaRange: Equatable {
    var type: Substring
    var subtype: Substring
    /// 0…1.
    var weight: Double

    /// What the header lists; what cannot be read is left out.
    static func list(_ header: String) -> [MediaRange] {
        header.split(separator: ",").compactMap { entry in
            let parts = entry.split(separator: ";").map { $0.trimmed }
            guard let name = parts.first?.lowercased() else { return nil }
            let names = name.split(separator: "/", omittingEmptySubsequences: false)
            guard names.count == 2, !names[0].isEmpty, !names[1].isEmpty else { return nil }
            let weight = parts.dropFirst().first { $0.lowercased().hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
            return MediaRange(type: names[0], subtype: names[1], weight: min(max(weight ?? 1, 0), 1))
        }
    }

    /// How well `name` fits; 0: not at all. A range that names it exactly outweighs a wider one.
    static func weight(of name: String, in ranges: [MediaRange]) -> Double {
        let parts = name.split(separator: "/")
        let fitting = ranges.filter {
            ($0.type == "*" || $0.type == parts[0]) && ($0.subtype == "*" || $0.subtype == parts[1])
        }
        let special = fitting.max { a, b in a.rank < b.rank }
        return special?.weight ?? 0
    }

    private var rank: Int { type == "*" ? 0 : subtype == "*" ? 1 : 2 }
}

extension Substring {
    /// Without spaces and tabs at its ends.
    var trimmed: Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
