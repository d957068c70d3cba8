import Services

/// Whose turn it is where frames of both priorities wait: the live ones', but for a share of the worker time that is kept for
/// the others, so that these get on however much there is to see. A value that knows costs only.
struct PriorityTurns: Sendable {
    /// Of the worker time while both wait.
    static let batchShare = 0.125

    /// Worker time that batch frames have a right to; nanoseconds.
    private var owed = 0.0

    /// - Parameter cost: of the batch frame that is next.
    func next(cost: Double) -> FramePriority {
        // Sums of fractions may lack one.
        owed + 1 >= cost ? .batch : .live
    }

    /// - Parameter waiting: what a batch frame costs at most that may be next; nil: none waits, and none saves anything up.
    mutating func ranLive(_ cost: Double, waiting: Double?) {
        guard let waiting else { return owed = 0 }
        owed = min(waiting, owed + cost * Self.batchShare / (1 - Self.batchShare))
    }

    /// A turn of theirs while live ones wait: what it took beyond their right they owe.
    mutating func ranBatch(_ cost: Double) { owed -= cost }

    /// What batch frames have at most of the time in which live ones take `cost`, and the other way around.
    static func batch(beside cost: Double) -> Double { cost * batchShare / (1 - batchShare) }
    static func live(beside cost: Double) -> Double { cost * (1 - batchShare) / batchShare }
}
