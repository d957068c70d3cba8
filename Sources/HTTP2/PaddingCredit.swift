/// Padding that came, by stream, until the peer gets its credit.
///
/// Nobody takes padding, so its credit returns by itself. nghttp2 would wait for half a window, and the window of a stream
/// with a large message may be as large as the message: the peer would be stuck before.
struct PaddingCredit {
    /// Credit returns in steps, so that each padded frame does not make a frame of ours.
    static let stepBytes = 8 << 10

    private var waiting: [Int32: Int] = [:]

    /// - Returns: what to return now.
    mutating func add(_ bytes: Int, of stream: Int32) -> Int {
        let due = waiting[stream, default: 0] + bytes
        waiting[stream] = due < Self.stepBytes ? due : nil
        return due < Self.stepBytes ? 0 : due
    }

    mutating func closed(_ stream: Int32) {
        if !waiting.isEmpty { waiting[stream] = nil }
    }
}
