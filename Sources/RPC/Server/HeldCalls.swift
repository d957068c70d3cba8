import NIOCore

/// Unary calls of one connection whose requests have come whole, and that wait because too much of other answers is not
/// sent yet. First come, first served, and a few at a time, since each may answer as much again: one more for each that
/// ends while little waits to be sent, so that a line that honest clients keep long runs as many as it needs.
struct HeldCalls {
    /// Calls that were held, and whose handlers run, while much waits to be sent.
    private let maxRunning: Int
    /// So many now.
    private var mayRun: Int
    private var waiting = CircularBuffer<ServerCall>()
    private var running: Set<Int32> = []

    init(maxRunning: Int) {
        self.maxRunning = maxRunning
        mayRun = maxRunning
    }

    /// None waits.
    var isEmpty: Bool { waiting.isEmpty }

    /// - Parameter call: may be one of `next` that could not start after all.
    mutating func add(_ call: ServerCall) {
        running.remove(call.stream)
        if waiting.isEmpty { mayRun = maxRunning }
        waiting.append(call)
    }

    /// The next one to start.
    mutating func next() -> ServerCall? {
        guard running.count < mayRun else { return nil }
        while let call = waiting.popFirst() {
            // Its deadline may have passed.
            guard !call.isAnswered else { continue }
            // The others end at once.
            if case .unary = call.method.handler { running.insert(call.stream) }
            return call
        }
        return nil
    }

    /// The handler of `call` has returned, or has not begun.
    /// - Parameter hasRoom: little waits to be sent, with its answer.
    /// - Returns: others may start.
    mutating func ended(_ call: ServerCall, hasRoom: Bool) -> Bool {
        guard !running.isEmpty, running.remove(call.stream) != nil else { return false }
        mayRun = hasRoom ? mayRun + 1 : maxRunning
        return !waiting.isEmpty
    }

    /// The stream of `call` is gone.
    mutating func remove(_ call: ServerCall) {
        if !waiting.isEmpty { waiting.removeAll { $0 === call } }
    }

    mutating func removeAll() { waiting.removeAll() }
}
