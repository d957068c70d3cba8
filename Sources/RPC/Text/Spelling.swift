/// Finds what was probably meant.
package enum Spelling {
    /// The candidate with the fewest edits, if these are at most a third of the word.
    package static func nearest(to word: String, of candidates: [String]) -> String? {
        let best = candidates.map { (name: $0, edits: edits(word, $0)) }.min { $0.edits < $1.edits }
        guard let best, best.edits <= max(1, word.count / 3) else { return nil }
        return best.name
    }

    /// Insertions, deletions and replacements between two words (Levenshtein distance).
    package static func edits(_ a: String, _ b: String) -> Int {
        let b = Array(b)
        var row = Array(0...b.count)
        for (i, letter) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let replaced = diagonal + (letter == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}
