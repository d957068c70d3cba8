internal import Messages

/// Whether a newcomer is an object that was lost: one that comes out of hiding elsewhere than expected, since its last boxes
/// were pieces or since it turned, and so does not overlap its prediction.
///
/// As in OC-SORT's second look at what was lost (Cao et al. 2022, arXiv:2203.14360) and with a gate that grows while the
/// object is unseen, as C-BIoU's buffers do (Yang et al. 2022, arXiv:2211.14317): here by distance, since a piece may not
/// overlap at all.
enum Reappearance {
    /// How far from its prediction a lost object is looked for, in its own sizes: at once, and more for each second unseen.
    static let reach = 0.7, reachPerSecond = 3.0
    /// Ratio of widths, or of heights, beyond which two are not one.
    static let greatestRatio = 3.0

    /// Below 1: within reach. Distance of the centres in shares of the reach.
    static func distance(_ newcomer: LiveTrack, _ lost: LiveTrack) -> Double {
        let new = newcomer.filter.centre, old = lost.filter.centre
        let x = new.x - old.x, y = new.y - old.y
        let size = (lost.extent.width * lost.extent.height).squareRoot()
        return (x * x + y * y).squareRoot() / (size * (reach + reachPerSecond * lost.unseen))
    }

    /// 0: not the same; 1: the same class, where it was expected.
    static func likeness(_ newcomer: LiveTrack, _ lost: LiveTrack, _ rule: Tracker.ClassRule) -> Double {
        guard rule == .ignore || newcomer.classID == lost.classID else { return 0 }
        let wide = Double(newcomer.box.width) / lost.extent.width
        let high = Double(newcomer.box.height) / lost.extent.height
        let ratios = 1 / greatestRatio...greatestRatio
        guard ratios.contains(wide), ratios.contains(high) else { return 0 }
        return max(0, 1 - distance(newcomer, lost))
    }
}
