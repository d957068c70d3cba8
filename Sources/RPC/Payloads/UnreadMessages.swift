/// The rest of a call's messages, which have all come and were not read when the connection ended: their consumer was slow, or
/// they waited for memory or for their turn. A value of who takes them.
///
/// They need no memory of the budget: their bytes are here already, no more than a window of them, and nobody is left who
/// could wait for it.
struct UnreadMessages: Sendable {
    private var reader: MessageReader
    private let budget = MemoryBudget(limit: .max)
    private let intake = LargeIntake(windowBytes: .max)

    /// - Parameter reader: the end of its stream has come.
    init(_ reader: MessageReader) {
        self.reader = reader
        // What it waited for does not come any more.
        self.reader.turnCame()
    }

    /// - Returns: nil: there is none left.
    /// - Throws: what is wrong with the next one.
    mutating func next() throws(RPCError) -> Payload? {
        while let output = reader.next(budget, intake) {
            switch output {
            case .message(let payload, _): return payload
            case .credit: continue
            case .end: return nil
            case .failed(let error): throw error
            case .park, .queue:
                throw RPCError(
                    .resourceExhausted, "no memory for an answer whose connection has ended", limit: .memoryBudget)
            }
        }
        return nil
    }
}
