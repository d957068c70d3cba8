import HTTP2

extension Metadata {
    /// The metadata among the header fields of a message. What is reserved or illegal is left out.
    /// - Throws: INTERNAL if bytes are not the base64 that they should be; RESOURCE_EXHAUSTED beyond `limit` values.
    static func decode(_ fields: some Sequence<HeaderField>, upTo limit: Int) throws(RPCError) -> Metadata {
        var metadata = Metadata()
        for field in fields where !field.name.hasPrefix(":") { try metadata.receive(field, upTo: limit) }
        return metadata
    }

    /// A field that is not a pseudo header. An illegal `authorization` stays, without its value: whoever looks for a
    /// credential sees that there was one, and that it is not good.
    /// - Parameter limit: of values in all. A comma costs a peer one byte, and us an entry.
    mutating func receive(_ field: HeaderField, upTo limit: Int) throws(RPCError) {
        guard Self.isBinary(field.name) else {
            if !append(field.name, .ascii(field.value), reserved: Self.isHidden), field.name == Self.authorization {
                _ = append(field.name, .ascii(""), reserved: Self.isHidden)
            }
            return
        }
        // Intermediaries may join values of one name by commas, which base64 has not.
        for part in field.value.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            guard entries.count < limit else {
                throw RPCError(.resourceExhausted, "metadata of more than \(limit) values", limit: .metadata)
            }
            let text = part.drop(while: Self.isSpace).reversed().drop(while: Self.isSpace).reversed()
            guard let bytes = Base64.decode(text) else {
                throw RPCError(.internal, "metadata '\(field.name.prefix(64))' is not base64", limit: .malformedCall)
            }
            _ = append(field.name, .binary(bytes), reserved: Self.isHidden)
        }
    }

    /// Names and values as they are sent, with so many bytes more for each.
    func wireBytes(beside perField: Int) -> Int {
        entries.reduce(0) { sum, entry in
            let value =
                switch entry.value {
                case .ascii(let text): text.utf8.count
                case .binary(let bytes): (bytes.count * 4 + 2) / 3
                }
            return sum + entry.key.utf8.count + value + perField
        }
    }

    /// A credential stays out of the compression tables of both ends (RFC 7541, section 7.1.3).
    func encode(into fields: inout [HeaderField]) {
        for entry in entries where !Self.isReserved(entry.key) {
            switch entry.value {
            case .ascii(let text):
                fields.append(HeaderField(entry.key, text, isSensitive: entry.key == Self.authorization))
            case .binary(let bytes): fields.append(HeaderField(entry.key, Base64.encode(bytes)))
            }
        }
    }
}
