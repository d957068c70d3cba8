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
    /// From the coordinator to the nodes and back. Inferred: what nodes do not account for of the time that the coordinator waited
    /// for them, attempts that failed among it.
    package var fanOut = 0.0
    /// Making one answer of those of the nodes. Inferred: what all else leaves of the coordinator's time, of stages that ran at
    /// once the longest counted. `framemesh_stage_seconds` has what the coordinator itself measures.
    package var merge = 0.0
    package var track = 0.0

    package init() {}
}

/// Adds up the splits of many answers.
struct ServerSplitSum: Sendable {
    /// Microseconds.
    private var sum = ServerSplit()
    private var frames = 0.0

    private static let coordinator = "coordinator"
    /// Its own steps are before and behind those of the mesh.
    private static let gateway = "gateway"
    private static let total = "total"
    private static let overlap = "overlap"

    mutating func add(_ stages: [(name: String, microseconds: UInt64)]) {
        guard !stages.isEmpty else { return }
        frames += 1
        // Of each stage; those that run at once take no more than the longest.
        var branches: [Substring: Double] = [:]
        var total: Double?
        var before = 0.0
        for (name, microseconds) in stages {
            let time = Double(microseconds)
            let parts = name.split(separator: ".", maxSplits: 1)
            let step = parts.last ?? ""
            if parts.first == Self.gateway[...] { continue }
            if name == Self.total {
                total = time
                continue
            }
            count(step, time)
            if parts.first == Self.coordinator[...] || step == "track" {
                before += time
            } else {
                branches[parts.first ?? "", default: 0] += step == Self.overlap[...] ? -time : time
            }
        }
        guard let total else { return }
        let rest = max(0, total - before)
        let inTurn = branches.values.reduce(0, +)
        sum.merge += max(0, rest - (inTurn <= rest ? inTurn : branches.values.max() ?? 0))
    }

    private mutating func count(_ step: Substring, _ time: Double) {
        switch step {
        case "queue": sum.queue += time
        case "decode": sum.decode += time
        case "preprocess": sum.preprocess += time
        case "infer": sum.infer += time
        case "postprocess": sum.postprocess += time
        case "network": sum.fanOut += time
        case "track": sum.track += time
        default: break
        }
    }

    mutating func add(_ other: ServerSplitSum) {
        frames += other.frames
        for part in Self.parts { sum[keyPath: part] += other.sum[keyPath: part] }
    }

    /// nil: no answer told any time.
    var means: ServerSplit? {
        guard frames > 0 else { return nil }
        var means = sum
        for part in Self.parts { means[keyPath: part] /= frames * 1000 }
        return means
    }

    private static let parts: [any WritableKeyPath<ServerSplit, Double> & Sendable] = [
        \.queue, \.decode, \.preprocess, \.infer, \.postprocess, \.fanOut, \.merge, \.track,
    ]
}
