import Results

/// What an evaluation found: numbers over all, and a table.
struct EvaluationReport: Sendable {
    struct Score: Sendable {
        /// For people.
        var title: String
        /// In JSON.
        var key: String
        /// nil: there was nothing to measure it on.
        var value: Double?
        /// A count, not a share.
        var isCount = false
    }

    struct Row: Sendable {
        var name: String
        var scores: [Score]
    }

    /// What was run on what.
    var summary: String
    var scores: [Score]
    /// What the rows are of, in JSON: `classes`, `videos`.
    var rowsKey: String
    var rows: [Row]
    /// What a reader should know.
    var notes: [String] = []

    private static let decimals = 4

    var text: String {
        var lines = [summary] + notes.map { "note: \($0)" }
        lines += Self.table(scores.map { ($0.title, [$0]) }, titles: [])
        if let first = rows.first {
            lines.append("")
            lines += Self.table(rows.map { ($0.name, $0.scores) }, titles: first.scores.map(\.title))
        }
        return lines.joined(separator: "\n")
    }

    private static func table(_ rows: [(String, [Score])], titles: [String]) -> [String] {
        let cells = (titles.isEmpty ? [] : [[""] + titles]) + rows.map { [$0.0] + $0.1.map(cell) }
        let columns = cells.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in cells.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return cells.map { row in
            row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + space : space + cell
            }.joined(separator: "  ")
        }
    }

    private static func cell(_ score: Score) -> String {
        guard let value = score.value else { return "-" }
        if score.isCount { return JSONText.number(value, decimals: 0) }
        // As many decimals in each row, so that they stand below each other.
        let text = JSONText.number(value, decimals: decimals)
        let parts = text.split(separator: ".")
        let after = parts.count > 1 ? String(parts[1]) : ""
        return "\(parts.first ?? "0").\(after)" + String(repeating: "0", count: max(0, decimals - after.count))
    }

    var json: String {
        JSONText.object { json in
            json.field("summary", summary)
            for score in scores { Self.write(score, to: &json) }
            json.array(rowsKey, rows) { json, row in
                json.object { json in
                    json.field("name", row.name)
                    for score in row.scores { Self.write(score, to: &json) }
                }
            }
            if !notes.isEmpty { json.array("notes", notes) { $0.value($1) } }
        }
    }

    private static func write(_ score: Score, to json: inout JSONText) {
        json.field(score.key, score.value ?? .nan, decimals: score.isCount ? 0 : 9)
    }
}
