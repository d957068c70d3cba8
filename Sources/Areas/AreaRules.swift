/// How tracks are watched.
package struct AreaRules: Sendable, Hashable {
    /// Tracks that are remembered, lost ones included. The one that was unseen for longest leaves when there are more.
    package var tracks = 1024
    /// A track that is not seen for this long has left.
    package var grace = Duration.seconds(2)
    /// An object has changed sides when it is this far beyond the border, as a part of its box's longer side...
    package var margin = 0.05
    /// ...or stays beyond it for this long.
    package var settling = Duration.milliseconds(500)
    /// Who goes on with a track of the same epoch that is not seen any more has a box that overlaps its last one at least
    /// so (intersection over union)...
    package var sameEpochOverlap = 0.5
    /// ...and with one of another epoch, whose tracks all have new ids, at least so.
    package var otherEpochOverlap = 0.3

    package init() {}
}
