internal import Messages

/// Whether a newcomer is an object that was lost: one that comes out of hiding elsewhere than expected, since its last boxes
/// were pieces or since it turned, and so does not overlap its prediction.
///
/// As in OC-SORT's second look at what was lost (Cao et al. 2022, arXiv:2203.14360), and with a gate that grows while the
/// object is unseen, as C-BIoU's buffers do (Yang et al. 2022, arXiv:2211.14317): here by distance, since a piece may not
/// overlap at all, and no farther than the object can have gone. Without that bound the next object of its class would take
/// its id: what vanishes in the open is gone, what stood does not come back elsewhere, and what comes into the picture is not
/// what left it on the other lane.
enum Reappearance {
    /// How far from its prediction a lost object is looked for at once, in its own sizes.
    static let nearby = 0.7
    /// And farther by so many times the way that it would have gone: one that turned at once is twice as far off.
    static let turned = 2.0
    /// Sizes per second that a hidden object may have gone at least: it may start while nobody sees it.
    static let hiddenSpeed = 1.0
    /// Sizes from its prediction beyond which nothing is looked for.
    static let farthest = 3.0
    /// Seconds for which an object that was lost in the open is looked for: a detector misses some frames, not more.
    static let openSeconds = 0.5
    /// What lies less within the picture, of the whole box where it is expected, has left it.
    static let leastInView: Float = 0.25
    /// Ratio of widths, or of heights, beyond which two are not one.
    static let greatestRatio = 3.0

    /// Below 1: within reach. Distance of the centres in shares of the reach.
    static func distance(_ newcomer: LiveTrack, _ lost: LiveTrack, _ view: Box) -> Double {
        guard lost.mayBeHidden || lost.unseen <= openSeconds, lost.box.sharedPart(view) >= leastInView
        else { return .infinity }
        let new = newcomer.filter.centre, old = lost.filter.centre, velocity = lost.filter.velocity
        let size = (lost.extent.width * lost.extent.height).squareRoot()
        let seen = length(velocity.x, velocity.y) / size
        let speed = lost.mayBeHidden ? max(seen, hiddenSpeed) : seen
        let reach = min(nearby + turned * speed * lost.unseen, farthest)
        return length(new.x - old.x, new.y - old.y) / (size * reach)
    }

    private static func length(_ x: Double, _ y: Double) -> Double { (x * x + y * y).squareRoot() }

    /// 0: not the same; 1: the same class, where it was expected.
    static func likeness(
        _ newcomer: LiveTrack, _ lost: LiveTrack, _ view: Box, _ rule: Tracker.ClassRule
    ) -> Double {
        guard rule == .ignore || newcomer.classID == lost.classID else { return 0 }
        // What comes out of hiding may be weak at first; in the open a weak box beside a lost object is a false one.
        guard lost.mayBeHidden || newcomer.evidence >= Tracker.evidencePerFrame else { return 0 }
        let wide = Double(newcomer.box.width) / lost.extent.width
        let high = Double(newcomer.box.height) / lost.extent.height
        let ratios = 1 / greatestRatio...greatestRatio
        guard ratios.contains(wide), ratios.contains(high) else { return 0 }
        return max(0, 1 - distance(newcomer, lost, view))
    }
}
