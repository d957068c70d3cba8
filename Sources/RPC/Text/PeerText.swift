/// Text of a peer, for a log: one short line of printable ASCII.
public enum PeerText {
    static let maxCharacters = 256

    /// What is not printable ASCII becomes `\u{…}`, as does the backslash; what is too long is cut.
    public static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(maxCharacters) {
            if (0x20...0x7e).contains(scalar.value), scalar != "\\" {
                result.unicodeScalars.append(scalar)
            } else {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return text.unicodeScalars.count > maxCharacters ? result + "…" : result
    }
}
