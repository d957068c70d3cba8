/// What one streaming call has sent, for another attempt.
struct ReplayBuffer {
    let limit: Int
    private(set) var messages: [Payload] = []
    private(set) var bytes = 0

    init(limit: Int) { self.limit = limit }

    /// Empty messages count too.
    static func cost(of payload: Payload) -> Int { payload.byteCount + 64 }

    /// - Returns: false if it does not fit.
    mutating func keep(_ payload: Payload) -> Bool {
        let cost = Self.cost(of: payload)
        guard bytes + cost <= limit else { return false }
        messages.append(payload)
        bytes += cost
        return true
    }
}
