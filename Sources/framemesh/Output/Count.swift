/// Numbers with what they count.
enum Count {
    /// `1 picture`, `2 pictures`.
    /// - Parameters:
    ///   - one: the word for one of them.
    ///   - many: the word for more of them; nil: that with an `s`.
    static func of(_ number: some BinaryInteger, _ one: String, many: String? = nil) -> String {
        "\(number) \(number == 1 ? one : many ?? one + "s")"
    }
}
