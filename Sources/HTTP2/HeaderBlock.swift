/// One header block while it arrives. What is beyond the limits is counted, not kept (CVE-2026-49975).
struct HeaderBlock {
    var fields: [HeaderField] = []
    private(set) var count = 0
    /// Names and values, and 32 per field (RFC 9113, section 6.5.2).
    private(set) var bytes = 0
    private var isOversized = false

    mutating func begin() { self = HeaderBlock() }

    /// - Returns: the field is to be kept.
    mutating func count(bytes added: Int, _ settings: SessionSettings) -> Bool {
        count += 1
        bytes += added + 32
        if !isOversized, count > settings.maxHeaderFields || bytes > settings.maxHeaderListBytes {
            isOversized = true
            fields = []
        }
        return !isOversized
    }

    func isHostile(_ settings: SessionSettings) -> Bool {
        count > settings.maxHeaderFields * settings.headerOverrunFactor
            || bytes > settings.maxHeaderListBytes * settings.headerOverrunFactor
    }

    mutating func event(stream: Int32, endStream: Bool) -> SessionEvent {
        guard !isOversized else { return .oversizedHeaders(stream: stream, fields: count, bytes: bytes) }
        defer { fields = [] }
        return .headers(stream: stream, fields: fields, endStream: endStream)
    }
}
