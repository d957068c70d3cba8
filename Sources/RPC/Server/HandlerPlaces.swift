import Synchronization

/// How many handlers a server may run, on all its connections together.
final class ServerPlaces: Sendable {
    let limit: Int
    private let taken = Atomic(0)

    init(limit: Int) { self.limit = limit }

    /// - Returns: how many there were, at most `count`.
    func take(_ count: Int) -> Int {
        let now = taken.add(count, ordering: .relaxed).newValue
        let missing = min(count, max(0, now - limit))
        if missing > 0 { taken.subtract(missing, ordering: .relaxed) }
        return count - missing
    }

    func giveBack(_ count: Int) { taken.subtract(count, ordering: .relaxed) }

    var count: Int { taken.load(ordering: .relaxed) }
}

/// The places that one connection has at its server. It takes and gives them back in steps that grow with what it runs,
/// so that its calls seldom touch what all loops share. A value of the connection's loop.
struct HandlerPlaces {
    private let server: ServerPlaces
    private var taken = 0
    /// Handlers that run.
    private(set) var running = 0

    init(_ server: ServerPlaces) { self.server = server }

    /// - Returns: false: the server has no place.
    mutating func begin() -> Bool {
        if running == taken { taken += server.take(max(1, taken / 2)) }
        guard running < taken else { return false }
        running += 1
        return true
    }

    /// An idle connection keeps one place.
    mutating func end() {
        running -= 1
        let spare = running == 0 ? taken - 1 : running < taken / 4 ? taken / 2 : 0
        if spare > 0 { giveBack(spare) }
    }

    /// The connection is over, and no handler runs.
    mutating func leave() { giveBack(taken) }

    private mutating func giveBack(_ count: Int) {
        taken -= count
        server.giveBack(count)
    }
}
