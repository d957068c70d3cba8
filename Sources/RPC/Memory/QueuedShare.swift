/// What the messages of one stream that wait for their consumer, and are too small to be reserved for, have of the
/// memory for such (`MemoryBudget.holdQueued`). The first bytes do not count, so that a stream whose messages are soon
/// taken touches nothing that all streams share, and the others are counted in steps. A value of the stream's queue.
struct QueuedShare {
    static let freeBytes = 4 << 10
    /// No less than one of these messages.
    static let stepBytes = MemoryBudget.smallestReservation

    private let budget: MemoryBudget
    private let share: MemoryShare?
    private var steps: [MemoryBudget.Window] = []

    /// - Parameter share: of the peer.
    init(_ budget: MemoryBudget, _ share: MemoryShare?) {
        self.budget = budget
        self.share = share
    }

    /// What may wait without another step.
    var room: Int { Self.freeBytes + steps.count * Self.stepBytes }

    /// - Parameter bytes: all that waits. It is here already: the last message may be beyond the room.
    /// - Returns: false: there is no memory left, or the peer has its share of it.
    mutating func hold(_ bytes: Int) -> Bool {
        while bytes > room {
            guard let step = budget.holdQueued(Self.stepBytes, in: share) else { return false }
            steps.append(step)
        }
        return true
    }

    /// Gives back the steps that are not needed any more. Each is kept until a little more than its own is free, so
    /// that a message more or less does not take it and give it back each time. Nobody is served by it, so that it may
    /// happen inside a lock.
    /// - Parameter bytes: all that waits.
    mutating func fit(_ bytes: Int) {
        while !steps.isEmpty, bytes <= room - Self.stepBytes - Self.freeBytes / 2 { steps.removeLast() }
    }
}
