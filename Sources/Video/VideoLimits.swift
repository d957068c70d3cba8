/// What this side takes from a helper, and how much it holds.
enum VideoLimits {
    /// The same as the helper's (Sources/framemesh-video/limits.hpp): a helper that says more is not believed.
    static let maximumSide = 16_384
    static let maximumPixels = 50_000_000
    /// Frames a second, nominal.
    static let frameRates = 0.001...1_000
    /// Frames that are read ahead of the consumer, the one in the making included. A full pipe stops the child then.
    static let readAhead = 4
    /// Bytes of those, but one frame in any case.
    static let readAheadBytes = 128 << 20
    /// Frames that wait for the child. `write` waits when there are as many.
    static let writeAhead = 2
    /// Of a live source's zero: a minute that the helper looks back for it, and an hour, the longest gap of its clock.
    static let maximumAge: Duration = .seconds(3_660)
    /// Text of INFO, END_ and FAIL records.
    static let maximumTextBytes = 4_096
    /// What is kept of the child's standard error, from its end.
    static let errorTailBytes = 2_048
    /// The pipes of the pixels: fewer switches between the processes. A wish; the kernel may give less.
    static let pipeBytes: Int32 = 1 << 20
    /// A child that has said its last word has this long to end by itself.
    static let endGraceMilliseconds: Int32 = 5_000

    /// Frames of so many bytes that are read ahead.
    static func readAhead(frameByteCount: Int) -> Int {
        max(1, min(readAhead, readAheadBytes / max(1, frameByteCount)))
    }

    static func allowsSize(_ width: Int, _ height: Int) -> Bool {
        width > 0 && height > 0 && width <= maximumSide && height <= maximumSide && width * height <= maximumPixels
    }
}
