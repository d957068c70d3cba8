import HTTP2

extension Metadata {
    /// The metadata among the header fields of a message. What is reserved, is illegal, or is not the base64 that it
    /// should be, is left out.
    static func decode(_ fields: some Sequence<HeaderField>) -> Metadata {
        var metadata = Metadata()
        for field in fields where !field.name.hasPrefix(":") { metadata.receive(field) }
        return metadata
    }

    private mutating func receive(_ field: HeaderField) {
        guard Self.isBinary(field.name) else {
            _ = append(field.name, .ascii(field.value), reserved: Self.isHidden)
            return
        }
        // Intermediaries may join values of one name by commas, which base64 has not.
        for part in field.value.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let spaces: Set<UInt8> = [0x20, 0x09]
            let text = part.drop { spaces.contains($0) }.reversed().drop { spaces.contains($0) }.reversed()
            guard let bytes = Base64.decode(text) else { continue }
            _ = append(field.name, .binary(bytes), reserved: Self.isHidden)
        }
    }

    func encode(into fields: inout [HeaderField]) {
        for entry in entries where !Self.isReserved(entry.key) {
            switch entry.value {
            case .ascii(let text): fields.append(HeaderField(entry.key, text))
            case .binary(let bytes): fields.append(HeaderField(entry.key, Base64.encode(bytes)))
            }
        }
    }
}
