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
    static func table(_ rows: [[String]]) -> String {
        guard let head = rows.first else { return "" }
        func row(_ cells: [String], _ tag: String) -> String {
            "<tr>" + cells.map { "<\(tag)>\(escaped($0))</\(tag)>" }.joined() + "</tr>"
        }
        let body = rows.dropFirst().map { row($0, "td") }.joined(separator: "\n")
        return "<div class=\"scroll\"><table><thead>\(row(head, "th"))</thead><tbody>\n\(body)\n</tbody></table></div>"
    }
}
