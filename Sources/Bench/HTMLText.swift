/// Text of others in a page.
enum HTMLText {
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.append(character)
            }
        }
        return result
    }

    /// A table; the first row is its head.
    /// - Parameter ofWords: not of numbers: what is in its last column may be long, and is broken where there is no room.
    static func table(_ rows: [[String]], ofWords: Bool = false) -> String {
        guard let head = rows.first else { return "" }
        func row(_ cells: [String], _ tag: String) -> String {
            "<tr>" + cells.map { "<\(tag)>\(escaped($0))</\(tag)>" }.joined() + "</tr>"
        }
        let body = rows.dropFirst().map { row($0, "td") }.joined(separator: "\n")
        let table = ofWords ? "<table class=\"words\">" : "<table>"
        return "<div class=\"scroll\">\(table)<thead>\(row(head, "th"))</thead><tbody>\n\(body)\n</tbody></table></div>"
    }
}
