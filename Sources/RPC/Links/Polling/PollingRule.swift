import NIOCore

/// Whether an event loop that has nothing to do looks for more work for a while before it sleeps.
///
/// To wake a processor that has halted takes longer than a small call (35 of 70 µs on a virtual machine). Staying awake is
/// worth it for a peer who asks again at once, and for nobody else. As KVM decides it for its guests
/// (Documentation/virt/kvm/halt-polling.rst), what comes next is guessed from what came before: a row of short waits, which
/// polling would have cut short. Where it polled in vain, or was kept from running because others want the processor, too,
/// the row has to be four times as long before the next try.
struct PollingRule {
    /// Beyond the longest there are better uses for a processor.
    static let times = Duration.microseconds(1)...Duration.milliseconds(10)
    static let leastRow = 16
    static let mostRow = 16 << 10
    /// Waits that polling cut short, for which one in vain is forgotten.
    static let forgiven = 1024

    private var last: NIODeadline?
    private var row = 0
    private(set) var neededRow = leastRow

    /// Something came.
    /// - Parameter limit: no longer than this is worth waiting for.
    /// - Returns: until when to look for more; nil: not at all.
    mutating func worked(at now: NIODeadline, limit: TimeAmount) -> NIODeadline? {
        defer { last = now }
        guard let last else { return nil }
        let polled = row >= neededRow
        if now - last <= limit {
            row += 1
            if polled, row.isMultiple(of: Self.forgiven) { neededRow = max(Self.leastRow, neededRow / 4) }
        } else {
            if polled { neededRow = min(Self.mostRow, neededRow * 4) }
            row = 0
        }
        return row >= neededRow ? now + limit : nil
    }
}
