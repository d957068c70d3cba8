/// Numbers with what they count.
enum Count {
    /// `1 picture`, `2 pictures`.
    /// - Parameter one: the word for one of them; more of them have an `s`.
    static func of(_ number: some BinaryInteger, _ one: String) -> String {
        "\(number) \(number == 1 ? one : one + "s")"
    }
}
