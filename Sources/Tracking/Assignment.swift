/// Optimal assignment of rows to columns.
///
/// Shortest augmenting paths with potentials (Kuhn 1955; Jonker and Volgenant 1987), O(n²m) for n ≤ m.
enum Assignment {
    /// The pairing with the greatest total benefit; pairs of benefit zero or less (or NaN) are never made.
    ///
    /// - Parameter benefit: `rows * columns` values, row by row.
    /// - Returns: for each row its column, or nil.
    static func best(rows: Int, columns: Int, benefit: [Double]) -> [Int?] {
        precondition(benefit.count == rows * columns, "benefit has \(benefit.count) values, not \(rows * columns)")
        guard rows > 0, columns > 0 else { return Array(repeating: nil, count: rows) }
        if rows <= columns {
            let chosen = rowOfEachColumn(rows: rows, columns: columns) { benefit[$0 * columns + $1] }
            var answer = [Int?](repeating: nil, count: rows)
            for (column, row) in chosen.enumerated() {
                if let row, benefit[row * columns + column] > 0 { answer[row] = column }
            }
            return answer
        }
        let chosen = rowOfEachColumn(rows: columns, columns: rows) { benefit[$1 * columns + $0] }
        return chosen.enumerated().map { row, column in
            guard let column, benefit[row * columns + column] > 0 else { return nil }
            return column
        }
    }

    /// Every row gets a column (`rows <= columns`); a forbidden pair costs nothing, so it stands for "unmatched".
    private static func rowOfEachColumn(
        rows: Int, columns: Int, benefit: (_ row: Int, _ column: Int) -> Double
    ) -> [Int?] {
        // Index 0 is the imaginary row and column where each augmenting path begins.
        var rowPotential = [Double](repeating: 0, count: rows + 1)
        var columnPotential = [Double](repeating: 0, count: columns + 1)
        var rowOf = [Int](repeating: 0, count: columns + 1)
        var previous = [Int](repeating: 0, count: columns + 1)

        for row in 1...rows {
            rowOf[0] = row
            var column = 0
            var slack = [Double](repeating: .infinity, count: columns + 1)
            var visited = [Bool](repeating: false, count: columns + 1)
            repeat {
                visited[column] = true
                let current = rowOf[column]
                var step = Double.infinity
                var next = 0
                for candidate in 1...columns where !visited[candidate] {
                    let value = benefit(current - 1, candidate - 1)
                    let cost = value > 0 ? -value : 0
                    let reduced = cost - rowPotential[current] - columnPotential[candidate]
                    if reduced < slack[candidate] {
                        slack[candidate] = reduced
                        previous[candidate] = column
                    }
                    if slack[candidate] < step {
                        step = slack[candidate]
                        next = candidate
                    }
                }
                for index in 0...columns {
                    if visited[index] {
                        rowPotential[rowOf[index]] += step
                        columnPotential[index] -= step
                    } else {
                        slack[index] -= step
                    }
                }
                column = next
            } while rowOf[column] != 0
            repeat {
                let before = previous[column]
                rowOf[column] = rowOf[before]
                column = before
            } while column != 0
        }
        return rowOf.dropFirst().map { $0 == 0 ? nil : $0 - 1 }
    }
}
