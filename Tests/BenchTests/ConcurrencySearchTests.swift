import Testing

@testable import Bench

@Suite struct ConcurrencySearchTests {
    /// - Returns: what was measured, in order, and what was found.
    private static func search(_ sweep: Sweep<Int>, most: Int) -> (tried: [Int], best: Int?) {
        var search = ConcurrencySearch(sweep)
        var tried: [Int] = []
        while let next = search.next {
            tried.append(next)
            search.record(isWithinLimit: next <= most)
        }
        return (tried, tried.filter { $0 <= most }.max())
    }

    @Test func itDoublesAndThenHalves() throws {
        let (tried, best) = Self.search(try Sweep(parsing: "1:512", in: 1...512), most: 21)
        #expect(tried == [1, 2, 4, 8, 16, 32, 24, 20, 22, 21])
        #expect(best == 21)
    }

    @Test func everyAnswerIsFound() throws {
        for end in [1, 2, 7, 64, 100] {
            for most in 0...end + 1 {
                let (tried, best) = Self.search(try Sweep(parsing: "1:\(end)", in: 1...512), most: most)
                #expect(best == (most == 0 ? nil : min(most, end)), "\(most) of \(end)")
                #expect(tried.count <= 16 && Set(tried).count == tried.count)
            }
        }
    }

    @Test func onlyPointsOfTheSweepAreMeasured() throws {
        let (tried, best) = Self.search(try Sweep(parsing: "4:64:8", in: 1...512), most: 21)
        #expect(tried == [4, 12, 20, 36, 28])
        #expect(best == 20)
        let grid = try Sweep<Int>(parsing: "2:9:3", in: 1...512)
        for (most, expected) in [(1, nil), (4, 2), (7, 5), (9, 8)] as [(Int, Int?)] {
            let (tried, best) = Self.search(grid, most: most)
            #expect(best == expected && Set(tried).isSubset(of: grid.points), "\(most): \(tried)")
        }
    }

    @Test func nothingIsMeasuredBeyondTheEnd() throws {
        let (tried, best) = Self.search(try Sweep(parsing: "3:20", in: 1...512), most: 1000)
        #expect(tried == [3, 6, 12, 20] && best == 20)
    }
}
