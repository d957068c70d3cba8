import Synchronization

/// What all connections of a server have of something together, for example handlers that run.
///
/// One address gets at most `share` of what the other addresses leave: with a half, one alone has a half, two have a
/// third each, and so on. So something is always left for who comes next, and nobody has to be found out and thrown
/// out. Counts are taken without a lock: where several loops take at once, at the limit, one may be refused too early.
final class FairPool: Sendable {
    /// What one address has of it.
    final class Account: Sendable {
        fileprivate let taken = Atomic(0)

        var count: Int { taken.load(ordering: .relaxed) }
    }

    let limit: Int
    private let share: Double
    private let taken = Atomic(0)

    /// - Parameter share: 1 is all that is left.
    init(limit: Int, share: Double) {
        self.limit = limit
        self.share = share
    }

    /// - Returns: how much `account` got, at most `count`.
    func take(_ count: Int, for account: Account) -> Int {
        let mine = account.taken.add(count, ordering: .relaxed).newValue
        let all = taken.add(count, ordering: .relaxed).newValue
        let missing = min(count, max(0, all - limit, mine - most(others: all - mine)))
        if missing > 0 { giveBack(missing, of: account) }
        return count - missing
    }

    /// Whether `account` would get as many as that now.
    func has(_ count: Int, for account: Account) -> Bool {
        let (mine, all) = (account.count, self.count)
        return all + count <= limit && mine + count <= most(others: all - mine)
    }

    func giveBack(_ count: Int, of account: Account) {
        account.taken.subtract(count, ordering: .relaxed)
        taken.subtract(count, ordering: .relaxed)
    }

    private func most(others: Int) -> Int {
        // Another loop may have given back between the two counts.
        let left = limit - max(0, others)
        // `Double` would round the largest limit up.
        return share >= 1 ? left : Int((Double(left) * share).rounded(.up))
    }

    var count: Int { taken.load(ordering: .relaxed) }
}
