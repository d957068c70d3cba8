/// What became of a node's frames since it began.
struct WorkCounts: Sendable, Equatable {
    var accepted: UInt64 = 0
    var answered: UInt64 = 0
    /// Their pictures cannot be read, or the request asks for what cannot be.
    var unfit: UInt64 = 0
    /// By a fault of ours.
    var failed: UInt64 = 0
    /// Refused on arrival: the queue was full.
    var full: UInt64 = 0
    /// Refused on arrival: there was not enough time left, as far as is known.
    var hopeless: UInt64 = 0
    /// Refused on arrival: their deadline had passed.
    var overdue: UInt64 = 0
    /// Gave way to another client's in a full queue.
    var displaced: UInt64 = 0
    /// Their deadline passed in the queue, or with a worker.
    var expired: UInt64 = 0
    /// Taken out of the queue because they would not have been done by their deadline.
    var late: UInt64 = 0
    /// Nobody waited for them any more.
    var cancelled: UInt64 = 0
    /// They waited when the node ended.
    var stopped: UInt64 = 0

    /// Told an answer: a result, or what is wrong with it.
    var completed: UInt64 { answered + unfit + failed }
    /// Those that never waited.
    var onArrival: UInt64 { full + hopeless + overdue }

    /// Those of `framemesh_frames_total`: each frame has one.
    static let outcomes: [(String, @Sendable (WorkCounts) -> UInt64)] = [
        ("answered", { $0.answered }),
        ("failed", { $0.unfit + $0.failed }),
        ("refused", { $0.full + $0.hopeless + $0.displaced }),
        ("expired", { $0.expired + $0.overdue + $0.late }),
        ("cancelled", { $0.cancelled + $0.stopped }),
    ]

    /// Those of `framemesh_drops_total`: each frame without a result has one.
    static let reasons: [(String, @Sendable (WorkCounts) -> UInt64)] = [
        ("bad_picture", { $0.unfit }),
        ("internal", { $0.failed }),
        ("queue_full", { $0.full }),
        ("not_in_time", { $0.hopeless }),
        ("displaced", { $0.displaced }),
        ("deadline", { $0.expired + $0.overdue }),
        ("late", { $0.late }),
        ("cancelled", { $0.cancelled }),
        ("shutdown", { $0.stopped }),
    ]
}
