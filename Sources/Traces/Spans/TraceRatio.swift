/// Which traces that begin here are recorded. It looks at the trace's number alone, so whoever uses the same ratio decides the
/// same.
struct TraceRatio: Sendable {
    /// Of 2⁶³ numbers.
    private let bound: UInt64

    /// - Parameter ratio: 0…1.
    init(_ ratio: Double) {
        bound = ratio >= 1 ? 1 << 63 : UInt64(max(0, ratio) * 0x1p63)
    }

    func samples(_ trace: TraceID) -> Bool { trace.low >> 1 < bound }
}
