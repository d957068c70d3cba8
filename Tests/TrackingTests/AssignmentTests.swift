import Testing

@testable import Tracking

@Suite struct AssignmentTests {
    /// All pairings, one by one.
    private func greatest(_ rows: Int, _ columns: Int, _ benefit: [Double], row: Int = 0, used: Set<Int> = []) -> Double
    {
        guard row < rows else { return 0 }
        var best = greatest(rows, columns, benefit, row: row + 1, used: used)
        for column in 0..<columns where !used.contains(column) && benefit[row * columns + column] > 0 {
            let rest = greatest(rows, columns, benefit, row: row + 1, used: used.union([column]))
            best = max(best, benefit[row * columns + column] + rest)
        }
        return best
    }

    @Test func equalsBruteForceOnManySmallTables() {
        var chance = Chance(state: 7)
        for _ in 0..<400 {
            let rows = Int.random(in: 0...5, using: &chance)
            let columns = Int.random(in: 0...6, using: &chance)
            let benefit = (0..<rows * columns).map { _ in
                chance.uniform() < 0.4 ? 0 : (chance.uniform() * 8).rounded() / 8 - 0.1
            }
            let answer = Assignment.best(rows: rows, columns: columns, benefit: benefit)
            let taken = answer.compactMap { $0 }
            #expect(answer.count == rows)
            #expect(Set(taken).count == taken.count)
            var total = 0.0
            for (row, column) in answer.enumerated() {
                guard let column else { continue }
                #expect(benefit[row * columns + column] > 0)
                total += benefit[row * columns + column]
            }
            #expect(abs(total - greatest(rows, columns, benefit)) < 1e-9)
        }
    }

    @Test func forbiddenPairsAreNeverMade() {
        #expect(Assignment.best(rows: 2, columns: 2, benefit: [0, -1, .nan, 0]) == [nil, nil])
        #expect(Assignment.best(rows: 3, columns: 1, benefit: [0.1, 0.3, 0.2]) == [nil, 0, nil])
    }

    @Test func theGreedyChoiceIsGivenUpForTheSum() {
        #expect(Assignment.best(rows: 2, columns: 2, benefit: [0.9, 0.8, 0.8, 0]) == [1, 0])
    }
}
