/// Where the time of frames went in the mesh, out of the times that answers tell. Means, milliseconds.
///
/// Answers name steps `STAGE.STEP`: `detect.queue`, `classify.infer`; of a node that does both stages also `node.decode`. Stages
/// that run at once are both counted, so the parts may be more than the whole.
package struct ServerSplit: Sendable, Codable, Equatable {
    /// In the coordinator and in nodes.
    package var queue = 0.0
    package var decode = 0.0
    package var preprocess = 0.0
    package var infer = 0.0
    package var postprocess = 0.0
    /// From the coordinator to the nodes and back: what nodes do not account for of the time that it waited for them, attempts that
    /// failed among it.
    package var network = 0.0
    /// From when the coordinator begins with the first stage until the last of its nodes has answered: all of the nodes' steps, and
    /// the way there, are in it. nil: no answer told it, since no coordinator made it, or one of an older version.
    package var fanOut: Double?
    /// Making one answer of those of the nodes. nil: as with `fanOut`.
    package var merge: Double?
    /// Of streams: from when an answer was there until those of the frames before it had gone out. nil: as with `fanOut`.
    package var turn: Double?
    package var track = 0.0

    package init() {}

    /// Results of format 2 have no `network`: there `fan_out` is what that is now.
    package init(from decoder: any Decoder) throws {
        let parts = try decoder.container(keyedBy: CodingKeys.self)
        queue = try parts.decode(Double.self, forKey: .queue)
        decode = try parts.decode(Double.self, forKey: .decode)
        preprocess = try parts.decode(Double.self, forKey: .preprocess)
        infer = try parts.decode(Double.self, forKey: .infer)
        postprocess = try parts.decode(Double.self, forKey: .postprocess)
        turn = try parts.decodeIfPresent(Double.self, forKey: .turn)
        track = try parts.decode(Double.self, forKey: .track)
        if let told = try parts.decodeIfPresent(Double.self, forKey: .network) {
            network = told
            fanOut = try parts.decodeIfPresent(Double.self, forKey: .fanOut)
            merge = try parts.decodeIfPresent(Double.self, forKey: .merge)
        } else {
            network = try parts.decode(Double.self, forKey: .fanOut)
        }
    }
}

/// Adds up the splits of many answers.
struct ServerSplitSum: Sendable {
    /// What not every answer tells.
    private struct Part: Sendable {
        /// Microseconds.
        private var sum = 0.0
        private var frames = 0.0

        mutating func add(_ microseconds: Double) {
            sum += microseconds
            frames += 1
        }

        mutating func add(_ other: Part) {
            sum += other.sum
            frames += other.frames
        }

        /// Milliseconds, of the frames that told it; nil: none did.
        var mean: Double? { frames > 0 ? sum / (frames * 1000) : nil }
    }

    /// Microseconds.
    private var sum = ServerSplit()
    private var frames = 0.0
    private var fanOut = Part()
    private var merge = Part()
    private var turn = Part()

    /// Its own steps are before and behind those of the mesh.
    private static let gateway = "gateway"

    mutating func add(_ stages: [(name: String, microseconds: UInt64)]) {
        guard !stages.isEmpty else { return }
        frames += 1
        for (name, microseconds) in stages {
            let parts = name.split(separator: ".", maxSplits: 1)
            if parts.first == Self.gateway[...] { continue }
            let time = Double(microseconds)
            switch name {
            case "coordinator.fan_out": fanOut.add(time)
            case "coordinator.merge": merge.add(time)
            case "coordinator.turn": turn.add(time)
            default: count(parts.last ?? "", time)
            }
        }
    }

    private mutating func count(_ step: Substring, _ time: Double) {
        switch step {
        case "queue": sum.queue += time
        case "decode": sum.decode += time
        case "preprocess": sum.preprocess += time
        case "infer": sum.infer += time
        case "postprocess": sum.postprocess += time
        case "network": sum.network += time
        case "track": sum.track += time
        default: break
        }
    }

    mutating func add(_ other: ServerSplitSum) {
        frames += other.frames
        for part in Self.parts { sum[keyPath: part] += other.sum[keyPath: part] }
        fanOut.add(other.fanOut)
        merge.add(other.merge)
        turn.add(other.turn)
    }

    /// nil: no answer told any time.
    var means: ServerSplit? {
        guard frames > 0 else { return nil }
        var means = sum
        for part in Self.parts { means[keyPath: part] /= frames * 1000 }
        (means.fanOut, means.merge, means.turn) = (fanOut.mean, merge.mean, turn.mean)
        return means
    }

    private static let parts: [any WritableKeyPath<ServerSplit, Double> & Sendable] = [
        \.queue, \.decode, \.preprocess, \.infer, \.postprocess, \.network, \.track,
    ]
}
