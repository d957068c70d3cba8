/// The places for handlers that one connection has at its server. It takes and gives them back in steps that grow with
/// what it runs, so that its calls seldom touch what all loops share. A value of the connection's loop.
struct HandlerPlaces {
    private let server: FairPool
    private let account: FairPool.Account
    private var taken = 0
    /// Handlers that run.
    private(set) var running = 0

    /// - Parameter account: of the connection's address.
    init(_ server: FairPool, _ account: FairPool.Account) {
        self.server = server
        self.account = account
    }

    /// - Returns: false: the server has no place, or the address has its share.
    mutating func begin() -> Bool {
        if running == taken { taken += server.take(max(1, taken / 2), for: account) }
        guard running < taken else { return false }
        running += 1
        return true
    }

    /// It keeps no more than twice as many as it runs; an idle connection keeps one.
    mutating func end() {
        running -= 1
        if taken > max(1, 2 * running) { giveBack(taken - max(1, running + running / 2)) }
    }

    /// The connection is over, and no handler runs.
    mutating func leave() { giveBack(taken) }

    private mutating func giveBack(_ count: Int) {
        taken -= count
        server.giveBack(count, of: account)
    }
}
