/// How many calls of each client run on a channel.
struct RunningCalls: Sendable {
    /// Of those that have some.
    private var counts: [UInt64: Int] = [:]

    func count(of client: UInt64) -> Int { counts[client] ?? 0 }

    mutating func begin(_ client: UInt64) { counts[client, default: 0] += 1 }

    mutating func end(_ client: UInt64) {
        guard let place = counts.index(forKey: client) else { return }
        if counts.values[place] > 1 { counts.values[place] -= 1 } else { counts.remove(at: place) }
    }
}
