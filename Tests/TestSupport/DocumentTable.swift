public import Foundation

/// A table of a page of documentation.
public struct DocumentTable: Sendable {
    /// Of the section that it stands in.
    public var heading: String
    private var columns: [String]
    private var rows: [[String]]

    /// All tables of `docs/NAME` of the package that `file` is a test of.
    public static func all(of name: String, file: String = #filePath) throws -> [DocumentTable] {
        var root = URL(fileURLWithPath: file)
        while root.path != "/", !FileManager.default.fileExists(atPath: root.appending(path: "Package.swift").path) {
            root.deleteLastPathComponent()
        }
        let text = try String(contentsOf: root.appending(path: "docs/\(name)"), encoding: .utf8)
        var tables: [DocumentTable] = []
        var heading = ""
        var isInside = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("#") { heading = line.drop { $0 == "#" || $0 == " " }.description }
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
                .map { $0.trimmingCharacters(in: .whitespaces) }
            if !line.hasPrefix("|") {
                isInside = false
            } else if !isInside {
                tables.append(DocumentTable(heading: heading, columns: cells, rows: []))
                isInside = true
            } else if !line.hasPrefix("|-") {
                tables[tables.count - 1].rows.append(cells)
            }
        }
        return tables
    }

    /// The words in backquotes of one column; none, if there is no such column.
    public func words(in column: String) -> [String] {
        guard let index = columns.firstIndex(of: column) else { return [] }
        return rows.filter { $0.indices.contains(index) }.flatMap { row in
            row[index].split(separator: "`", omittingEmptySubsequences: false).enumerated()
                .filter { $0.offset % 2 == 1 }.map { String($0.element) }
        }
    }
}
