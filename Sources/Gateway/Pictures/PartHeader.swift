/// What the header of a part of `multipart/form-data` says (RFC 7578, section 4).
struct PartHeader: Equatable {
    /// Of the form's field.
    var field: String
    /// As the sender calls it: words, never a path.
    var fileName: String?
    /// Lower case, without parameters; empty: it does not say.
    var mediaType: String

    /// Longer names are cut.
    static let maxNameBytes = 255

    /// - Returns: nil: this is no header of a form's part.
    init?(_ lines: [String]) {
        var disposition: Parameters?
        mediaType = ""
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].trimmed
            switch line[..<colon].lowercased() {
            case "content-disposition":
                guard disposition == nil else { return nil }
                disposition = Parameters(value)
            case "content-type": mediaType = Parameters(value).word
            default: break
            }
        }
        guard let disposition, disposition.word == "form-data", let field = disposition.values["name"] else {
            return nil
        }
        self.field = Self.cut(field)
        fileName = disposition.values["filename"].map(Self.cut)
    }

    /// Something to look at, not a word of a form.
    var isFile: Bool {
        fileName != nil || mediaType.hasPrefix("image/") || mediaType == "application/octet-stream"
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > maxNameBytes else { return text }
        return String(decoding: text.utf8.prefix(maxNameBytes), as: UTF8.self)
    }

    /// `word; name=value; name="value"`.
    struct Parameters {
        /// Lower case.
        var word: String
        /// By name, lower case; the first of a name counts.
        var values: [String: String] = [:]

        init(_ text: Substring) {
            var rest = text
            word = rest.prefix { $0 != ";" }.trimmed.lowercased()
            rest = rest.drop { $0 != ";" }
            while rest.first == ";" {
                rest = rest.dropFirst()
                let name = rest.prefix { $0 != "=" && $0 != ";" }.trimmed.lowercased()
                rest = rest.drop { $0 != "=" && $0 != ";" }
                guard rest.first == "=" else { continue }
                rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
                let value = rest.first == "\"" ? Self.quoted(&rest) : Self.bare(&rest)
                if values[name] == nil { values[name] = value }
                rest = rest.drop { $0 != ";" }
            }
        }

        private static func bare(_ rest: inout Substring) -> String {
            let value = rest.prefix { $0 != ";" }.trimmed
            rest = rest.drop { $0 != ";" }
            return String(value)
        }

        private static func quoted(_ rest: inout Substring) -> String {
            rest = rest.dropFirst()
            var value = ""
            while let character = rest.popFirst(), character != "\"" {
                // A browser that still writes `\"`; a backslash before anything else is itself (Windows paths).
                if character == "\\", let next = rest.first, next == "\"" || next == "\\" {
                    value.append(next)
                    rest = rest.dropFirst()
                } else {
                    value.append(character)
                }
            }
            return value
        }
    }
}
