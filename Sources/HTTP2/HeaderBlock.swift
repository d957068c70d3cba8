/// One header block while it arrives. What is beyond the limits is counted, not kept (CVE-2026-49975).
struct HeaderBlock {
    /// The first of its fields in the arena.
    var first = 0
    /// More of it comes.
    private(set) var isOpen = false
    private(set) var count = 0
    /// Names and values, and 32 per field (RFC 9113, section 6.5.2).
    private(set) var bytes = 0
    private(set) var isOversized = false

    mutating func begin(at first: Int) {
        self = HeaderBlock()
        self.first = first
        isOpen = true
    }

    mutating func end() { isOpen = false }

    /// - Returns: the field is to be kept.
    mutating func count(bytes added: Int, _ settings: SessionSettings) -> Bool {
        count += 1
        bytes += added + 32
        if count > settings.maxHeaderFields || bytes > settings.maxHeaderListBytes { isOversized = true }
        return !isOversized
    }

    func isHostile(_ settings: SessionSettings) -> Bool {
        let factor = settings.flood.headerOverrunFactor
        return Self.isOver(count, settings.maxHeaderFields, times: factor)
            || Self.isOver(bytes, settings.maxHeaderListBytes, times: factor)
    }

    /// A limit may be as large as there are numbers.
    private static func isOver(_ number: Int, _ limit: Int, times factor: Int) -> Bool {
        let (most, isEndless) = limit.multipliedReportingOverflow(by: factor)
        return !isEndless && number > most
    }
}
