import Messages

/// Reads the numbers of a picture: digits that stand beside each other, of about one size, belong to one number.
enum NumberReader {
    /// Between two digits of a number, in their mean height.
    static let maxGap: Float = 0.6
    /// Of the lower digit's height, beside the other one.
    static let minOverlap: Float = 0.5
    /// Of the taller digit's height to the other's.
    static let maxSizeRatio: Float = 2

    /// Numbers from left to right.
    static func numbers(_ digits: [Detection]) -> [String] {
        let digits = digits.sorted { ($0.box.x, $0.box.y) < ($1.box.x, $1.box.y) }
        let next = followers(digits.map(\.box))
        let followers = Set(next.values)
        return digits.indices.filter { !followers.contains($0) }.map { first in
            var number = ""
            var place: Int? = first
            // Followers stand to the right, so this ends.
            while let digit = place {
                number += text(digits[digit])
                place = next[digit]
            }
            return number
        }
    }

    /// What the classifier calls a digit, or else the detector.
    static func text(_ digit: Detection) -> String { digit.classes.first?.label ?? digit.label }

    /// For each box the one to its right in the same number; no box follows two.
    private static func followers(_ boxes: [Box]) -> [Int: Int] {
        var nearest: [Int: (gap: Float, left: Int)] = [:]
        for left in boxes.indices {
            let candidates = boxes.indices.compactMap { right in
                gap(boxes[left], boxes[right]).map { (gap: $0, right: right) }
            }
            guard let best = candidates.min(by: { $0.gap < $1.gap }) else { continue }
            if let other = nearest[best.right], other.gap <= best.gap { continue }
            nearest[best.right] = (best.gap, left)
        }
        return Dictionary(uniqueKeysWithValues: nearest.map { ($0.value.left, $0.key) })
    }

    /// Pixels between two digits of one number; nil where they are not.
    private static func gap(_ left: Box, _ right: Box) -> Float? {
        guard right.x + right.width / 2 > left.x + left.width / 2 else { return nil }
        let low = min(left.height, right.height)
        let high = max(left.height, right.height)
        guard low > 0, high <= low * maxSizeRatio else { return nil }
        let overlap = min(left.y + left.height, right.y + right.height) - max(left.y, right.y)
        let gap = right.x - left.x - left.width
        return overlap >= minOverlap * low && gap <= maxGap * (low + high) / 2 ? gap : nil
    }
}
