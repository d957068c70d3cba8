/// What the answers of one connection that wait to be sent have of what those of all connections may have together, and
/// of the share of its address. The first bytes do not count, so that small calls touch nothing that all loops share, and
/// the others are counted in steps. A value of the connection's loop.
struct UnsentShare {
    static let freeBytes = 64 << 10
    static let stepBytes = 64 << 10

    private let server: FairPool
    private let account: FairPool.Account
    private var taken = 0

    /// - Parameter account: of the connection's address.
    init(_ server: FairPool, _ account: FairPool.Account) {
        self.server = server
        self.account = account
    }

    /// - Parameter bytes: all that would wait.
    /// - Returns: false: it may not: the server has no room, or the address has its share.
    mutating func hold(_ bytes: Int) -> Bool {
        let missing = bytes - Self.freeBytes - taken
        guard missing > 0 else { return true }
        let got = server.take((missing / Self.stepBytes + 1) * Self.stepBytes, for: account)
        taken += got
        guard got < missing else { return true }
        giveBack(got)
        return false
    }

    /// Whether a step more could be held. Else a call is refused before its handler runs, whose answer might be too much; where
    /// but the free bytes wait, small answers have their place in any case.
    /// - Parameter bytes: all that waits.
    func hasRoom(beside bytes: Int) -> Bool {
        bytes <= Self.freeBytes || bytes + Self.stepBytes <= Self.freeBytes + taken
            || server.has(Self.stepBytes, for: account)
    }

    /// Gives back what is not needed any more, but for a step or two.
    /// - Parameter bytes: all that waits.
    mutating func fit(_ bytes: Int) {
        guard taken > 0 else { return }
        let needed = max(0, bytes - Self.freeBytes)
        if needed == 0 {
            giveBack(taken)
        } else if taken > needed + 2 * Self.stepBytes {
            giveBack(taken - needed - Self.stepBytes)
        }
    }

    /// The connection is over, and no handler runs.
    mutating func leave() { giveBack(taken) }

    private mutating func giveBack(_ count: Int) {
        taken -= count
        server.giveBack(count, of: account)
    }
}
