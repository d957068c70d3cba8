import Testing

@testable import Tracking

@Suite struct AssignmentTests {
    /// - Parameter benefit: `rows * columns` values, row by row.
    private func best(rows: Int, columns: Int, benefit: [Double]) -> [Int?] {
        let pairs = benefit.enumerated().map {
            Assignment.Pair(row: $0 / max(columns, 1), column: $0 % max(columns, 1), benefit: $1)
        }
        return Assignment.best(rows: rows, columns: columns, pairs: pairs)
    }

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
            let answer = best(rows: rows, columns: columns, benefit: benefit)
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
        #expect(best(rows: 2, columns: 2, benefit: [0, -1, .nan, 0]) == [nil, nil])
        #expect(best(rows: 3, columns: 1, benefit: [0.1, 0.3, 0.2]) == [nil, 0, nil])
    }

    @Test func theGreedyChoiceIsGivenUpForTheSum() {
        #expect(best(rows: 2, columns: 2, benefit: [0.9, 0.8, 0.8, 0]) == [1, 0])
    }

    /// Groups that do not touch are solved one by one: together they are as good as the whole.
    @Test func partsAreAsGoodAsTheWhole() {
        var chance = Chance(state: 9)
        for _ in 0..<100 {
            // Blocks along the diagonal, in shuffled rows and columns.
            var tables: [(rows: Int, columns: Int, benefit: [Double])] = []
            for _ in 0..<4 {
                let rows = Int.random(in: 1...3, using: &chance), columns = Int.random(in: 1...3, using: &chance)
                tables.append((rows, columns, (0..<rows * columns).map { _ in chance.uniform() }))
            }
            let rowNames = (0..<tables.reduce(0) { $0 + $1.rows }).shuffled(using: &chance)
            let columnNames = (0..<tables.reduce(0) { $0 + $1.columns }).shuffled(using: &chance)
            var pairs: [Assignment.Pair] = []
            var expected = 0.0, firstRow = 0, firstColumn = 0
            for table in tables {
                for (index, benefit) in table.benefit.enumerated() {
                    pairs.append(
                        Assignment.Pair(
                            row: rowNames[firstRow + index / table.columns],
                            column: columnNames[firstColumn + index % table.columns], benefit: benefit))
                }
                expected += greatest(table.rows, table.columns, table.benefit)
                firstRow += table.rows
                firstColumn += table.columns
            }
            let answer = Assignment.best(
                rows: rowNames.count, columns: columnNames.count, pairs: pairs.shuffled(using: &chance))
            let total = answer.enumerated().reduce(0.0) { sum, made in
                sum + (pairs.first { $0.row == made.offset && $0.column == made.element }?.benefit ?? 0)
            }
            #expect(abs(total - expected) < 1e-9)
            #expect(Set(answer.compactMap { $0 }).count == answer.compactMap { $0 }.count)
        }
    }
}
