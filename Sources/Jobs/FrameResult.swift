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

    /// Beside its body, what a result takes in a database, about: its keys, its place in an index.
    static let overhead: Int64 = 128

    var storedBytes: Int64 { Int64(body.readableBytes) + Self.overhead }
}

/// Results that follow one another, to be recorded together.
package struct FrameBatch: Sendable {
    package var results: [FrameResult] = []
    /// Of the results: without an answer by the stream's policy.
    package var dropped: Int64 = 0
    /// Of the results: without one of their stages.
    package var partial: Int64 = 0
    /// Of the results: answered with an error.
    package private(set) var failed: Int64 = 0
    /// Of these.
    package private(set) var causes = FrameCauses()
    /// Frames a second, lately.
    package var rate = 0.0

    package init() {}

    var storedBytes: Int64 { results.reduce(0) { $0 + $1.storedBytes } }

    /// Counts a result that is an error.
    package mutating func fail(_ cause: String) {
        failed += 1
        causes.add(cause)
    }
}
