/// Columns for people: as wide as their widest cell, two spaces apart.
struct Table {
    enum Alignment { case left, right }
    /// Longest cell; the rest of it is cut.
    static let maxCellWidth = 60
    private let maxCellWidth: Int

    private let titles: [String]
    private let alignments: [Alignment]
    private var rows: [[String]] = []
    /// Columns without a word in them are left out.
    var hidesEmptyColumns = false

    /// - Parameter columns: titles; those that end in `>` are aligned to the right.
    init(_ columns: String..., maxCellWidth: Int = Table.maxCellWidth) {
        self.maxCellWidth = maxCellWidth
        titles = columns.map { $0.hasSuffix(">") ? String($0.dropLast()) : $0 }
        alignments = columns.map { $0.hasSuffix(">") ? .right : .left }
    }

    var isEmpty: Bool { rows.isEmpty }

    mutating func add(_ cells: String...) {
        rows.append(cells.map(cell))
    }

    var lines: [String] {
        let all = [titles] + rows
        let shown = titles.indices.filter { column in
            !hidesEmptyColumns || rows.contains { column < $0.count && !$0[column].isEmpty }
        }
        let widths = titles.indices.map { column in
            all.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return all.map { row in
            var line = ""
            for column in shown where column < row.count {
                let cell = row[column]
                let space = String(repeating: " ", count: widths[column] - cell.count)
                line +=
                    (column == shown.first ? "" : "  ") + (alignments[column] == .left ? cell + space : space + cell)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
    }

    var text: String { lines.joined(separator: "\n") }

    /// Without control characters: labels and messages come from others, and a terminal obeys them.
    private func cell(_ text: String) -> String {
        let plain = String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.isControl ? " " : $0 }))
        return plain.count <= maxCellWidth ? plain : plain.prefix(maxCellWidth - 1) + "…"
    }
}

extension Unicode.Scalar.Properties {
    fileprivate var isControl: Bool { generalCategory == .control || generalCategory == .lineSeparator }
}
