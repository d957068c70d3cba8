import NIOCore

/// Holds answers back until those of the requests that came before are given: what Triton calls `preserve_ordering`. A value;
/// its owner says what came and what ended, and gives the answers that come out.
struct AnswerOrder<Answer: Sendable>: Sendable {
    /// Of each lane, the line that its requests stand in.
    private let groups: [Int]
    /// Requests without an answer, and those whose answers are held, as they came.
    private var lines: [CircularBuffer<UInt64>]
    private var held: [UInt64: Answer] = [:]
    /// They ended without an answer that has an order.
    private var gone: Set<UInt64> = []

    init(groups: [Int]) {
        self.groups = groups
        lines = Array(repeating: CircularBuffer(), count: groups.count)
    }

    mutating func enter(_ id: UInt64, lane: Int) { lines[groups[lane]].append(id) }

    /// - Returns: answers to be given now, in order.
    mutating func finish(_ id: UInt64, lane: Int, _ answer: Answer) -> [Answer] {
        held[id] = answer
        return release(groups[lane])
    }

    /// It was refused or cancelled, and told.
    /// - Returns: answers to be given now, in order.
    mutating func leave(_ id: UInt64, lane: Int) -> [Answer] {
        gone.insert(id)
        return release(groups[lane])
    }

    private mutating func release(_ line: Int) -> [Answer] {
        var answers: [Answer] = []
        while let first = lines[line].first {
            if let answer = held.removeValue(forKey: first) {
                answers.append(answer)
            } else if gone.remove(first) == nil {
                break
            }
            lines[line].removeFirst()
        }
        return answers
    }
}
