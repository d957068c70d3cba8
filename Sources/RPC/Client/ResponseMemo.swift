import HTTP2

/// What the last response of a connection said, and the fields that said it: most responses are the same but for their
/// message, and then nothing is decoded.
struct ResponseMemo {
    /// More is decoded each time, so that an idle connection holds little.
    private static let keptFields = 16

    private struct Entry<Meaning> {
        var fields: HeaderFields
        var meaning: Meaning
    }

    /// Values.
    let maxMetadata: Int
    private var head: Entry<ResponseHead>?
    private var trailers: Entry<CallStatus>?

    init(maxMetadata: Int) { self.maxMetadata = maxMetadata }

    /// nil: these are trailers.
    mutating func head(_ fields: HeaderFields) -> ResponseHead? {
        if let head, head.fields == fields { return head.meaning }
        let list = Array(fields)
        guard list.contains(where: { $0.name == ":status" }) else { return nil }
        let meaning = ResponseHead(list, maxMetadata: maxMetadata)
        head = Self.keep(fields, meaning)
        return meaning
    }

    mutating func trailers(_ fields: HeaderFields) -> CallStatus {
        if let trailers, trailers.fields == fields { return trailers.meaning }
        let meaning = CallStatus(trailers: Array(fields), maxMetadata: maxMetadata)
        trailers = Self.keep(fields, meaning)
        return meaning
    }

    private static func keep<Meaning>(_ fields: HeaderFields, _ meaning: Meaning) -> Entry<Meaning>? {
        fields.count <= keptFields ? Entry(fields: fields.copied(), meaning: meaning) : nil
    }
}
