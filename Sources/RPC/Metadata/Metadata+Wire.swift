import HTTP2

extension Metadata {
    /// The metadata among the header fields of a message. What is reserved or illegal is left out.
    /// - Throws: INTERNAL if bytes are not the base64 that they should be.
    static func decode(_ fields: some Sequence<HeaderField>) throws(RPCError) -> Metadata {
        var metadata = Metadata()
        for field in fields where !field.name.hasPrefix(":") { try metadata.receive(field) }
        return metadata
    }

    /// A field that is not a pseudo header. An illegal `authorization` stays, without its value: whoever looks for a
    /// credential sees that there was one, and that it is not good.
    mutating func receive(_ field: HeaderField) throws(RPCError) {
        guard Self.isBinary(field.name) else {
            if !append(field.name, .ascii(field.value), reserved: Self.isHidden), field.name == Self.authorization {
                _ = append(field.name, .ascii(""), reserved: Self.isHidden)
            }
            return
        }
        // Intermediaries may join values of one name by commas, which base64 has not.
        for part in field.value.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let spaces: Set<UInt8> = [0x20, 0x09]
            let text = part.drop { spaces.contains($0) }.reversed().drop { spaces.contains($0) }.reversed()
            guard let bytes = Base64.decode(text) else {
                throw RPCError(.internal, "metadata '\(field.name.prefix(64))' is not base64", limit: .malformedCall)
            }
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
