extension Decoder {
    /// The fields of an object that somebody wrote. One that is not known is an error, as a misspelt one would be heard by
    /// nobody: `{"zone":[…]}` would be no zones at all. So is one that is null: to leave it out is the one way to say nothing.
    /// - Throws: `AreaError` that names the first unknown one, by name, and those there are; what the decoder throws.
    package func fields<Key: CodingKey & CaseIterable>(
        knowing keys: Key.Type
    ) throws -> KeyedDecodingContainer<Key> {
        let known = Key.allCases.map(\.stringValue)
        let unknown = try container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).filter { !known.contains($0) }
        if let name = unknown.min() {
            let shown = String(String.UnicodeScalarView(name.unicodeScalars.prefix(AnyKey.longestShown)))
            throw AreaError(AreaError.field(codingPath + [AnyKey(shown)]), "is not known", known: known)
        }
        let fields = try container(keyedBy: keys)
        for key in fields.allKeys where try fields.decodeNil(forKey: key) {
            throw AreaError(AreaError.field(codingPath + [key]), "is null; leave it out")
        }
        return fields
    }
}

/// Whatever was written.
private struct AnyKey: CodingKey {
    /// Characters of a name that an error repeats.
    static let longestShown = 64

    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
}
