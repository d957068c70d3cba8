/// One message of a `text/event-stream` (HTML standard, section 9.2).
struct ServerSentEvent: Sendable, Hashable {
    /// What a browser that comes back says in `Last-Event-ID`; nil: as the one before.
    var id: String?
    var event: String
    /// Any text; each of its lines becomes one of the stream.
    var data: String

    static let contentType = "text/event-stream"
    /// A comment; it keeps proxies from ending a stream on which nothing happens.
    static let keepAlive = ": keep-alive\n\n"

    init(_ event: String, id: String? = nil, data: String) {
        self.id = id
        self.event = event
        self.data = data
    }

    var text: String {
        var text = ""
        if let id { text += "id: \(Self.oneLine(id))\n" }
        text += "event: \(Self.oneLine(event))\n"
        for line in data.split(omittingEmptySubsequences: false, whereSeparator: Self.endsLine) {
            text += "data: \(line)\n"
        }
        return text + "\n"
    }

    /// To a browser; U+2028 and others that Unicode has are text.
    private static func endsLine(_ character: Character) -> Bool { ["\n", "\r", "\r\n"].contains(character) }

    /// A line's end would end the field, and NUL makes browsers forget an id.
    private static func oneLine(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { !["\n", "\r", "\0"].contains($0) }))
    }
}
