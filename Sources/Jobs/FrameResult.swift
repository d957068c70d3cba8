package import NIOCore

/// What was found in one frame of a job's video.
package struct FrameResult: Sendable, Hashable {
    /// Position in the video, from 0.
    package var sequence: Int64
    /// In a form that is the gateway's affair.
    package var body: ByteBuffer

    package init(sequence: Int64, body: ByteBuffer) {
        self.sequence = sequence
        self.body = body
    }
}

/// Results that follow one another, to be recorded together.
package struct FrameBatch: Sendable {
    package var results: [FrameResult] = []
    /// Of the results: without an answer by the stream's policy.
    package var dropped: Int64 = 0
    /// Of the results: answered with an error.
    package var failed: Int64 = 0
    /// Frames a second, lately.
    package var rate = 0.0

    package init() {}
}
