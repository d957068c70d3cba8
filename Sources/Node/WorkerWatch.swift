/// Finds workers that do not come back from their work. A value: it is shown again and again what each one has in hand.
///
/// Looks are counted, not time: a process that was stopped meanwhile has given its workers none.
struct WorkerWatch {
    /// After so many looks at the same batch its worker is lost.
    let looks: Int
    private var seen: [Int: (batch: UInt64, looks: Int)] = [:]

    init(looks: Int) { self.looks = looks }

    /// - Parameter inHand: the number of the batch that each worker runs; nil: none.
    /// - Returns: a worker that is lost, and the batch that it has.
    mutating func look(at inHand: [UInt64?]) -> (worker: Int, batch: UInt64)? {
        var lost: (Int, UInt64)?
        for (worker, batch) in inHand.enumerated() {
            guard let batch else {
                seen[worker] = nil
                continue
            }
            let before = seen[worker].flatMap { $0.batch == batch ? $0.looks : nil } ?? 0
            seen[worker] = (batch, before + 1)
            if before + 1 >= looks, lost == nil { lost = (worker, batch) }
        }
        return lost
    }
}

/// The worker threads of a node, whatever they run.
protocol Workers: Sendable {
    /// The number of the batch that each worker runs; nil: none.
    var inHand: [UInt64?] { get }

    /// Answers a batch in its worker's place; the worker gets no more, and its thread is not waited for.
    /// - Returns: false if the worker has come back from it.
    func abandon(_ worker: Int, batch: UInt64) -> Bool

    /// Answers what any worker still has in hand, as `abandon` does.
    func abandonAll()

    /// Workers that were given up.
    var leftBehind: [Int] { get }

    /// Ends the threads; returns when they have ended, but for those that are abandoned.
    func stop() async
}
