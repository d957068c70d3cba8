import Messages

/// Who goes on with a track that is not seen any more: an object of the same label in its place. It has another id
/// because a coordinator was lost, or because the tracker lost the object for a while; or none yet.
///
/// A pair is one by the overlap of the box with the last one of the track. The best pairs come first, and each track and
/// each object is of one pair at most. Within an epoch the overlap has to be greater: a tracker had its reason, and two
/// people who stand close together are not one.
struct Inheritance {
    private struct Pair {
        var overlap: Float
        var index: Int
        var key: FollowedTrack.Key
    }

    private let rules: AreaRules

    init(_ rules: AreaRules) { self.rules = rules }

    /// - Parameters:
    ///   - tracks: that are not seen in this frame.
    ///   - detections: of this frame, of nobody who is known.
    /// - Returns: the track that each detection goes on with, by its index.
    func heirs(
        of tracks: [FollowedTrack.Key: FollowedTrack], among detections: [Detection], epoch: UInt32
    ) -> [Int: FollowedTrack.Key] {
        var pairs: [Pair] = []
        for (key, track) in tracks {
            let least = key.epoch == epoch ? rules.sameEpochOverlap : rules.otherEpochOverlap
            for (index, detection) in detections.enumerated() where detection.label == track.label {
                let overlap = track.box.iou(detection.box)
                if Double(overlap) >= least { pairs.append(Pair(overlap: overlap, index: index, key: key)) }
            }
        }
        // To the end: the same frames give the same events, in whatever order a dictionary has them.
        pairs.sort { ($0.overlap, $1.index, $1.key.epoch, $1.key.id) > ($1.overlap, $0.index, $0.key.epoch, $0.key.id) }
        var heirs: [Int: FollowedTrack.Key] = [:]
        var taken = Set<FollowedTrack.Key>()
        for pair in pairs where heirs[pair.index] == nil && taken.insert(pair.key).inserted {
            heirs[pair.index] = pair.key
        }
        return heirs
    }
}
