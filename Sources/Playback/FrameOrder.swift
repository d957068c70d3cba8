import Video

/// The frames of a source one after the other, with a word for each that it has left out.
struct FrameOrder: Sendable {
    enum Due {
        case frame(VideoFrame)
        /// The source has none of this number, but a newer one.
        case leftOut(UInt64, newer: UInt64, captureTime: Int64)
    }

    /// The next number that is due.
    private(set) var next: UInt64
    private var waiting: VideoFrame?

    /// - Parameter first: the number of the first frame that is due.
    init(first: UInt64) { next = first }

    /// Takes a frame of the source, whose numbers rise; to be called when nothing is due.
    mutating func came(_ frame: VideoFrame) {
        if frame.index >= next { waiting = frame }
    }

    /// nil: the next frame has to come first.
    mutating func due() -> Due? {
        guard let frame = waiting else { return nil }
        defer { next += 1 }
        guard frame.index == next else {
            return .leftOut(next, newer: frame.index, captureTime: frame.captureTime)
        }
        waiting = nil
        return .frame(frame)
    }
}
