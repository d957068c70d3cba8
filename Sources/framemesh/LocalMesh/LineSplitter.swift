/// Bytes of a pipe as lines of bounded length.
struct LineSplitter {
    /// What is longer is cut.
    static let maxLineBytes = 4096

    private var line: [UInt8] = []

    mutating func take(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                lines.append(String(decoding: line, as: UTF8.self))
                line.removeAll(keepingCapacity: true)
            } else if line.count < Self.maxLineBytes {
                line.append(byte)
            }
        }
        return lines
    }

    /// The last line, where no newline ended it.
    mutating func finish() -> String? {
        defer { line = [] }
        return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
    }
}
