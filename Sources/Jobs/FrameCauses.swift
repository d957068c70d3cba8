/// Why frames failed, the most frequent cause first. A few causes are told apart; the rest count together.
package struct FrameCauses: Sendable, Hashable {
    package struct Cause: Sendable, Hashable {
        package let words: String
        package fileprivate(set) var frames: Int64
    }

    /// Causes that are told apart.
    static let most = 8
    /// Of one cause, in Unicode scalars.
    static let longest = 200
    static let others = "other causes"

    package private(set) var list: [Cause] = []

    package init() {}

    package mutating func add(_ words: String, frames: Int64 = 1) {
        let words = Self.plain(words)
        if let place = list.firstIndex(where: { $0.words == words }) {
            list[place].frames += frames
        } else if list.count < Self.most || words == Self.others {
            list.append(Cause(words: words, frames: frames))
        } else {
            return add(Self.others, frames: frames)
        }
        list.sort { ($1.frames, $0.words) < ($0.frames, $1.words) }
    }

    mutating func add(_ causes: FrameCauses) {
        for cause in causes.list { add(cause.words, frames: cause.frames) }
    }

    /// One short line.
    private static func plain(_ words: String) -> String {
        let scalars = words.unicodeScalars.prefix(longest).map { scalar -> Unicode.Scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: " "
            default: scalar
            }
        }
        let line = String(String.UnicodeScalarView(scalars))
        return line.allSatisfy { $0 == " " } ? "no cause was told" : line
    }

    // ---- as a column: a line for each ----

    var text: String { list.map { "\($0.frames) \($0.words)" }.joined(separator: "\n") }

    /// What cannot be read is left out: a job is worth more than the causes of its frames.
    init(text: String) {
        // By scalars: words may begin with one that would be one character with the space before it.
        for line in text.unicodeScalars.split(separator: "\n") {
            guard let space = line.firstIndex(of: " "),
                let frames = Int64(String(String.UnicodeScalarView(line[..<space])))
            else { continue }
            let words = String(String.UnicodeScalarView(line[line.index(after: space)...]))
            list.append(Cause(words: words, frames: frames))
        }
    }
}
