package import Video

/// Frames in their order, as pixels: a video, or what is played as one.
package protocol FrameSource: Sendable {
    var info: VideoInfo { get }

    /// The next frame; nil after the last. One consumer.
    func next() async throws -> VideoFrame?

    /// Of a file, those that were left out or decoded with errors; known after the last frame.
    var damagedPackets: UInt64 { get }

    /// Gives back what it holds; nothing is read afterwards.
    func close() async
}

extension VideoReader: FrameSource {}
