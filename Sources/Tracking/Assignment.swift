/// Optimal assignment of rows to columns.
///
/// Rows and columns that no chain of allowed pairs connects do not influence each other, so each group of connected ones
/// is solved alone: by shortest augmenting paths with potentials (Kuhn 1955; Jonker and Volgenant 1987), O(n²m) for n ≤ m
/// of the group. A thousand objects of which each overlaps two others cost little more than a hundred such.
enum Assignment {
    /// What may be paired, and how good it is.
    struct Pair {
        var row: Int
        var column: Int
        var benefit: Double
    }

    /// The pairing with the greatest total benefit; pairs of benefit zero or less (or NaN) are never made.
    ///
    /// - Parameter pairs: each at most once; what is not among them is never made.
    /// - Returns: for each row its column, or nil.
    static func best(rows: Int, columns: Int, pairs: [Pair]) -> [Int?] {
        var answer = [Int?](repeating: nil, count: rows)
        let allowed = pairs.filter { $0.benefit > 0 }
        for group in groups(rows: rows, columns: columns, of: allowed) {
            // Most are of one pair.
            if group.count == 1 {
                answer[group[0].row] = group[0].column
            } else {
                solve(group, &answer)
            }
        }
        return answer
    }

    /// Parts that have no row and no column in common, each in the order of `pairs`.
    private static func groups(rows: Int, columns: Int, of pairs: [Pair]) -> [[Pair]] {
        var parent = Array(0..<(rows + columns))
        func root(_ node: Int) -> Int {
            var node = node
            while parent[node] != node {
                parent[node] = parent[parent[node]]
                node = parent[node]
            }
            return node
        }
        for pair in pairs { parent[root(pair.row)] = root(rows + pair.column) }
        var index = [Int](repeating: -1, count: rows + columns)
        var groups: [[Pair]] = []
        for pair in pairs {
            let node = root(pair.row)
            if index[node] < 0 {
                index[node] = groups.count
                groups.append([])
            }
            groups[index[node]].append(pair)
        }
        return groups
    }

    private static func solve(_ group: [Pair], _ answer: inout [Int?]) {
        let rows = Set(group.map(\.row)).sorted(), columns = Set(group.map(\.column)).sorted()
        let rowIndex = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1, $0) })
        let columnIndex = Dictionary(uniqueKeysWithValues: columns.enumerated().map { ($1, $0) })
        // The side with fewer has the rows of the table.
        let turned = rows.count > columns.count
        let height = min(rows.count, columns.count), width = max(rows.count, columns.count)
        var benefit = [Double](repeating: 0, count: height * width)
        for pair in group {
            let row = rowIndex[pair.row] ?? 0, column = columnIndex[pair.column] ?? 0
            benefit[turned ? column * width + row : row * width + column] = pair.benefit
        }
        for (column, row) in rowOfEachColumn(rows: height, columns: width, benefit).enumerated() {
            guard let row, benefit[row * width + column] > 0 else { continue }
            if turned { answer[rows[column]] = columns[row] } else { answer[rows[row]] = columns[column] }
        }
    }

    /// Every row gets a column (`rows <= columns`); a forbidden pair costs nothing, so it stands for "unmatched".
    private static func rowOfEachColumn(rows: Int, columns: Int, _ benefit: [Double]) -> [Int?] {
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
                    let cost = -benefit[(current - 1) * columns + candidate - 1]
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
