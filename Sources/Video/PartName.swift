/// What a file is called until it is whole, where the file system has no nameless ones (Sources/framemesh-video/
/// output_file.cpp). The helper removes it; who has killed the helper does so itself.
struct PartName {
    /// Of the file's name; names have at most 255 bytes.
    private static let longestBegin = 200

    /// 16 hexadecimal digits, for the helper.
    let chance: String

    /// - Parameter chance: nobody else's.
    init(chance: UInt64 = .random(in: .min ... .max)) {
        let digits = String(chance, radix: 16)
        self.chance = String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// For C; the name of a file may be cut within a letter.
    /// - Parameter file: the path of the file once it is whole.
    func path(beside file: String) -> [CChar] {
        let name = file.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).last?.count ?? 0
        var bytes = Array(file.utf8.dropLast(max(0, name - Self.longestBegin)))
        bytes += ".\(chance).part".utf8
        bytes.append(0)
        return bytes.map { CChar(truncatingIfNeeded: $0) }
    }
}
