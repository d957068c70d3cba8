/// A metric and its labels, as Prometheus writes them.
struct SeriesName: Hashable, Comparable, Sendable {
    let metric: String
    /// `a="1",b="2"`, escaped, by name; empty: there are none.
    let labels: String

    init(_ label: String, _ dimensions: [(String, String)]) {
        metric = Self.name(label, allowing: ":")
        labels = dimensions.sorted { $0.0 < $1.0 }.map { "\(Self.name($0.0))=\"\(Self.escaped($0.1))\"" }
            .joined(separator: ",")
    }

    static func < (a: SeriesName, b: SeriesName) -> Bool { (a.metric, a.labels) < (b.metric, b.labels) }

    /// One line of a value.
    /// - Parameters:
    ///   - suffix: of the metric's name, such as `_bucket`.
    ///   - extra: one label more, such as `le="0.1"`.
    func line(_ value: String, suffix: String = "", extra: String = "") -> String {
        let all = [labels, extra].filter { !$0.isEmpty }.joined(separator: ",")
        return "\(metric)\(suffix)\(all.isEmpty ? "" : "{\(all)}") \(value)\n"
    }

    /// Letters, digits and underscores, not a digit first; what else there is becomes an underscore.
    private static func name(_ text: String, allowing extra: Character? = nil) -> String {
        let name = text.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == extra ? $0 : "_" }
        guard let first = name.first else { return "_" }
        return (first.isNumber ? "_" : "") + String(name)
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n", "\r", "\r\n": escaped += "\\n"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
