/// The part of a file that a request asks for by `Range` (RFC 9110, section 14).
enum ByteRange: Equatable {
    /// No range, or one that is not understood, or several: the whole file is the answer.
    case whole
    case part(ClosedRange<Int>)
    /// Nothing of it is in the file: 416.
    case unsatisfiable

    init(_ field: String?, size: Int) {
        self = .whole
        guard let field, field.hasPrefix("bytes=") else { return }
        let bounds = field.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2 else { return }
        let (first, last) = (Self.number(bounds[0]), Self.number(bounds[1]))
        switch (first, last) {
        case (let first?, let last?) where first <= last: self = Self.part(first, last, size)
        case (let first?, nil) where bounds[1].isEmpty: self = Self.part(first, .max, size)
        // The last bytes.
        case (nil, let count?) where bounds[0].isEmpty:
            self = count == 0 ? .unsatisfiable : Self.part(max(0, size - count), .max, size)
        default: return
        }
    }

    private static func part(_ first: Int, _ last: Int, _ size: Int) -> ByteRange {
        first < size ? .part(first...min(last, size - 1)) : .unsatisfiable
    }

    /// Digits alone; a number beyond all files counts as the greatest.
    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text) ?? .max
    }
}
