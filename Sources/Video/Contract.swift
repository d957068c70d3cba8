// CONTRACT: the public surface that other modules compile against. The module replaces each body;
// signatures stay (additions are fine). This file itself disappears into files named after their types.
public import NIOCore

/// One line that names the file and what is wrong with it.
public struct VideoError: Error, Sendable, CustomStringConvertible {
    public var message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}

public struct VideoInfo: Sendable, Hashable {
    /// Pixels, as displayed (rotation applied).
    public var width: Int
    public var height: Int
    /// Frames a second, the container's word; 0 where unknown.
    public var frameRate: Double
    /// The container's word; nil where unknown.
    public var frameCount: Int?
    public var codec: String
}

public struct VideoFrame: Sendable {
    /// From 0.
    public var index: UInt64
    /// Microseconds since the start of the file, from the stream's own timestamps.
    public var captureTime: Int64
    /// BGR8, rows packed.
    public var pixels: ByteBuffer
}

/// A video file as frames, decoded by a `framemesh-video` child. The child ends with the reader.
public final class VideoReader: Sendable {
    /// - Parameter helper: the path of the executable `framemesh-video`.
    public static func open(_ path: String, helper: String) async throws -> VideoReader { fatalError() }
    public var info: VideoInfo { fatalError() }
    /// The next frame; nil after the last. One consumer.
    /// - Throws: `VideoError`, also when the file is damaged or the child died.
    public func next() async throws -> VideoFrame? { fatalError() }
    /// Ends the child and waits for it.
    public func close() async { fatalError() }
}

/// Frames into an MP4 file, encoded by a `framemesh-video` child.
public final class VideoWriter: Sendable {
    /// - Parameter frameRate: nominal; true times come with the frames.
    public static func create(
        _ path: String, width: Int, height: Int, frameRate: Double, helper: String
    ) async throws -> VideoWriter { fatalError() }
    /// - Parameters:
    ///   - pixels: BGR8, rows packed, of the size that was given.
    ///   - captureTime: microseconds, rising.
    public func write(_ pixels: ByteBuffer, captureTime: Int64) async throws { fatalError() }
    /// Writes the end of the file; it is playable then, and in its place under its name.
    public func finish() async throws { fatalError() }
    /// Ends the child, leaves no file.
    public func abort() async { fatalError() }
}
