/// Numbers below zero on a command line, looked at before it is parsed: the parser takes `-1` for an option, and says of the one
/// before it that its value is missing.
enum NegativeNumbers {
    /// An option and the number behind it as one word, `--rate=-1` for `--rate -1`: then whoever reads the option says what it
    /// takes.
    static func joined(_ arguments: some Sequence<String>) -> [String] {
        var words: [String] = []
        var areOptionsOver = false
        for word in arguments {
            areOptionsOver = areOptionsOver || word == "--"
            if !areOptionsOver, isNumber(word), let option = words.last, isOption(option) {
                words[words.count - 1] = "\(option)=\(word)"
            } else {
                words.append(word)
            }
        }
        return words
    }

    private static func isOption(_ word: String) -> Bool { word.hasPrefix("--") && !word.contains("=") }

    /// Or begins as one does: `-1:5`. No option does.
    private static func isNumber(_ word: String) -> Bool {
        guard word.hasPrefix("-"), let first = word.dropFirst().first(where: { $0 != "." }) else { return false }
        return first.isASCII && first.isNumber || Double(word) != nil
    }
}
