public import NIOCore

/// Frames into an MP4 file, encoded by a `framemesh-video` child.
///
/// The file appears under its name in `finish`, whole; before that, and after `abort`, there is none.
/// At most `VideoLimits.writeAhead` frames wait for the child; then `write` waits.
///
///     let writer = try await VideoWriter.create("out.mp4", width: 640, height: 480, frameRate: 25, helper: helper)
///     for frame in frames { try await writer.write(frame.pixels, captureTime: frame.captureTime) }
///     try await writer.finish()
public final class VideoWriter: Sendable {
    private let session: WritingSession
    private let path: String
    private let width: Int
    private let height: Int
    /// What is written: the codec, and the encoded size. Odd sides of pictures beyond 4K are made even, by doubling the last
    /// column or row.
    public let info: VideoInfo

    private init(_ session: WritingSession, _ path: String, _ width: Int, _ height: Int, _ info: VideoInfo) {
        self.session = session
        self.path = path
        self.width = width
        self.height = height
        self.info = info
    }

    deinit { session.cancel(VideoError("the writer is gone")) }

    /// - Parameters:
    ///   - frameRate: nominal; true times come with the frames.
    ///   - aspect: of the pixels, for whoever plays it.
    ///   - helper: the path of the executable `framemesh-video`.
    ///   - maxBytes: the largest that the file may become, from 1; nil: any size. What is larger ends in an error that
    ///     `isTooLarge` tells from others.
    ///   - encoderThreads: 1 to 16.
    public static func create(
        _ path: String, width: Int, height: Int, frameRate: Double, aspect: PixelAspect = .square, helper: String,
        maxBytes: Int64? = nil, encoderThreads: Int = 1
    ) async throws -> VideoWriter {
        guard VideoLimits.allowsSize(width, height) else {
            throw VideoError("\(path): a size of \(width)x\(height) pixels is not allowed")
        }
        guard VideoLimits.frameRates.contains(frameRate) else {
            throw VideoError("\(path): a frame rate of \(frameRate) is not allowed (\(VideoLimits.frameRates))")
        }
        let session = WritingSession(path)
        session.start(
            helper: helper,
            arguments: [
                "--width", String(width), "--height", String(height), "--frame-rate", String(frameRate), "--aspect",
                "\(aspect.width):\(aspect.height)", "--threads", String(encoderThreads),
            ] + (maxBytes.map { ["--max-bytes", String($0)] } ?? []))
        guard case .ready(let info) = try await session.reply() else {
            throw VideoError("framemesh-video said nothing of \(path)")
        }
        return VideoWriter(session, path, width, height, info)
    }

    /// Hands a frame over; returns when it has a place in the queue. What goes wrong with it is thrown by a later call.
    ///
    /// If the task is cancelled this throws `CancellationError`; the child has ended and no file is left by then.
    /// - Parameters:
    ///   - pixels: BGR8, rows packed, of the size that was given.
    ///   - captureTime: microseconds, rising. The file's times count from the first frame's.
    public func write(_ pixels: ByteBuffer, captureTime: Int64) async throws {
        guard pixels.readableBytes == width * height * 3 else {
            throw VideoError(
                "\(path): a frame of \(pixels.readableBytes) bytes instead of \(width * height * 3) (\(width)x\(height))"
            )
        }
        try await session.send(.frame(pixels, captureTime: captureTime))
    }

    /// Writes the end of the file; it is playable then, and in its place under its name.
    public func finish() async throws {
        try await session.send(.end)
        guard case .done = try await session.reply() else { throw VideoError("\(path): is finished already") }
        await session.waitForEnd()
    }

    /// Whether an error of a writer says that the file would have become larger than `maxBytes`.
    public static func isTooLarge(_ error: VideoError, maxBytes: Int64) -> Bool {
        error.message.hasSuffix(": needs more than \(maxBytes) bytes")
    }

    /// Of the child, while it runs.
    public var processID: Int32? { session.processID }

    /// Ends the child, leaves no file.
    public func abort() async {
        session.cancel(VideoError("\(path): was aborted"))
        await session.waitForEnd()
    }
}
