import Testing

@testable import RPC

@Suite struct FairPoolTests {
    @Test func anAddressGetsAShareOfWhatTheOthersLeave() {
        let pool = FairPool(limit: 1200, share: 0.5)
        let accounts = (0..<3).map { _ in FairPool.Account() }
        #expect(pool.take(1200, for: accounts[0]) == 600)
        #expect(pool.take(1, for: accounts[0]) == 0)
        #expect(pool.take(1200, for: accounts[1]) == 300)
        #expect(pool.take(1200, for: accounts[2]) == 150)
        // Whoever had more than it gets now keeps it, and gets no more; what it gives back is shared anew.
        pool.giveBack(400, of: accounts[0])
        #expect(pool.take(1200, for: accounts[0]) == 175)
        #expect(pool.count == 825)
        #expect(accounts.map(\.count) == [375, 300, 150])
    }

    @Test func thoseWhoWantAllGetEquallyMuch() {
        let pool = FairPool(limit: 1000, share: 0.5)
        let accounts = (0..<9).map { _ in FairPool.Account() }
        for _ in 0..<1000 { for account in accounts { _ = pool.take(1, for: account) } }
        // A tenth for each, and one for who comes next.
        for account in accounts { #expect((95...105).contains(account.count)) }
        #expect(pool.take(50, for: FairPool.Account()) >= 45)
    }

    @Test func oneIsAlwaysToBeHad() {
        let pool = FairPool(limit: 2, share: 0.01)
        let (one, other) = (FairPool.Account(), FairPool.Account())
        #expect([pool.take(1, for: one), pool.take(1, for: one)] == [1, 0])
        #expect(pool.take(1, for: other) == 1)
        #expect(pool.take(1, for: FairPool.Account()) == 0)
    }

    @Test func aShareOfOneIsAllThereIs() {
        let pool = FairPool(limit: 10, share: 1)
        #expect(pool.take(7, for: FairPool.Account()) == 7)
        #expect(pool.take(7, for: FairPool.Account()) == 3)
        let endless = FairPool(limit: .max, share: 1)
        #expect(endless.take(7, for: FairPool.Account()) == 7)
    }
}
