/// The limit of a node that a picture is larger than. A node says it in words alone, those of the vision core.
struct PictureSizeLimit: Equatable {
    /// The flag of the node that sets it.
    var name: String
    /// Pixels.
    var value: Double

    private static let lead = "exceed the limit of "
    private static let units = ["pixels": "max-pixels", "a side": "max-side"]

    /// - Parameter message: of the mesh, of one picture; nil where it is about something else.
    init?(in message: String) {
        guard let lead = message.firstRange(of: Self.lead) else { return nil }
        let words = message[lead.upperBound...].split(separator: " ", maxSplits: 1)
        guard words.count == 2, let value = Double(words[0]),
            let unit = Self.units.first(where: { words[1].hasPrefix($0.key) })
        else { return nil }
        name = unit.value
        self.value = value
    }

    var facts: (name: String, value: Double) { (name, value) }
}
