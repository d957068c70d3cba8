import Messages

/// One track, at all zones and lines.
struct FollowedTrack: Sendable {
    /// Ids are of their epoch alone.
    struct Key: Hashable, Sendable {
        var epoch: UInt32
        var id: UInt64
    }

    var label: String
    var box: Box
    /// When it was last seen, microseconds, and in which frame.
    var seen = Int64.min
    var frame: UInt64 = 0
    var stays: [Stay]
    var passages: [Passage]

    /// One that was not seen before.
    init(_ detection: Detection, zones: Int, lines: Int) {
        label = detection.label
        box = detection.box
        stays = Array(repeating: Stay(), count: zones)
        passages = Array(repeating: Passage(), count: lines)
    }
}
