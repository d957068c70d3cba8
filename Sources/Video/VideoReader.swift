/// A video file, or a live source, as frames, decoded by a `framemesh-video` child. The child ends with the reader.
///
/// At most `VideoLimits.readAhead` frames are held for a slow consumer; then the pipe fills up and the child waits.
///
///     let reader = try await VideoReader.open("street.mp4", helper: helper)
///     while let frame = try await reader.next() { … }
///     await reader.close()
public final class VideoReader: Sendable {
    private let session: ReadingSession
    public let info: VideoInfo

    private init(_ session: ReadingSession, _ info: VideoInfo) {
        self.session = session
        self.info = info
    }

    deinit { session.cancel(VideoError("the reader is gone")) }

    /// Opens the file and decodes its first frame.
    /// - Parameters:
    ///   - helper: the path of the executable `framemesh-video`.
    ///   - maxPixels: of one picture, 1 to 50,000,000; nil: the latter. What is larger is an error that `isTooLarge` tells
    ///     from others, before memory is taken for it.
    ///   - decoderThreads: 1 to 16. One leaves the processor to the models.
    public static func open(
        _ path: String, helper: String, maxPixels: Int? = nil, decoderThreads: Int = 1
    ) async throws -> VideoReader {
        let session = ReadingSession(path)
        var arguments = ["read", path, "--threads", String(decoderThreads)]
        if let maxPixels { arguments += ["--max-pixels", String(maxPixels)] }
        session.start(helper: helper, arguments)
        return try await VideoReader(session, of: path)
    }

    /// Whether an error of `open` says that the pictures have more than `maxPixels`.
    public static func isTooLarge(_ error: VideoError, maxPixels: Int) -> Bool {
        error.message.hasSuffix(" pixels are more than allowed (\(maxPixels) in all)")
    }

    /// Calls a live source and decodes its first frame. It ends, with nil, when the source does; nobody calls again.
    ///
    /// A consumer that is slow holds the source back, and what comes then is old: who wants the newest frame takes all.
    /// - Parameters:
    ///   - url: `rtsp://`, `rtsps://`, `http://` or `https://`, of at most `VideoLimits.maximumTextBytes`. The child's
    ///     arguments do not show it.
    ///   - address: `192.0.2.7:554` or `[2001:db8::7]:554`, the only one that is called, by whatever name.
    ///   - name: of the source, in errors; the URL may have a password in it.
    ///   - authorities: a file of PEM with those who may vouch that a source with TLS is the host of the URL; nil: those
    ///     that the system trusts.
    /// - Throws: `VideoError`, also when there is no frame within 15 seconds, or within 10 after another.
    public static func watch(
        _ url: String, at address: String, name: String, helper: String, authorities: String? = nil,
        decoderThreads: Int = 1
    ) async throws -> VideoReader {
        let session = ReadingSession(name)
        var arguments = ["watch", address, "--threads", String(decoderThreads)]
        if let authorities { arguments += ["--authorities", authorities] }
        session.start(helper: helper, arguments, input: url)
        return try await VideoReader(session, of: name)
    }

    /// Whether `path` names a camera of this machine.
    public static func isCamera(_ path: String) -> Bool { path.hasPrefix("/dev/video") }

    /// Opens a camera of this machine and decodes its first frame. It goes on until it is closed.
    ///
    /// A consumer that is slow gets old frames: who wants the newest takes all.
    /// - Parameters:
    ///   - path: `/dev/video0` and so on; nothing else is a camera.
    ///   - size: nil: as the camera likes.
    ///   - format: nil: as the camera likes.
    ///   - frameRate: the camera takes the nearest that it has; nil: as it likes.
    /// - Throws: `VideoError`, also when the camera has not the size or the format (it says what it has), and when there
    ///   is no frame for 10 seconds.
    public static func camera(
        _ path: String, size: CameraSize? = nil, format: CameraFormat? = nil, frameRate: Double? = nil, helper: String,
        decoderThreads: Int = 1
    ) async throws -> VideoReader {
        let session = ReadingSession(path)
        var arguments = ["camera", path, "--threads", String(decoderThreads)]
        if let size { arguments += ["--width", String(size.width), "--height", String(size.height)] }
        if let format { arguments += ["--format", format.name] }
        if let frameRate { arguments += ["--frame-rate", String(frameRate)] }
        session.start(helper: helper, arguments)
        return try await VideoReader(session, of: path)
    }

    private convenience init(_ session: ReadingSession, of name: String) async throws {
        guard case .info(let info) = try await session.next() else {
            throw VideoError("framemesh-video said nothing of \(name)")
        }
        self.init(session, info)
    }

    /// The next frame; nil after the last. One consumer.
    ///
    /// Packets that cannot be decoded are left out, and counted (`damagedPackets`) with those that were decoded
    /// with errors. If the task is cancelled this throws
    /// `CancellationError`, and the child has ended by then.
    /// - Throws: `VideoError`, also when the file breaks off or the child died; the frames before it have come.
    public func next() async throws -> VideoFrame? {
        switch try await session.next() {
        case .frame(let frame): return frame
        case .info: throw VideoError("framemesh-video sent INFO twice")
        case nil: return nil
        }
    }

    /// Packets that were left out because they could not be decoded, or were decoded with errors that the decoder covered
    /// up; known when `next` has returned nil, or has thrown that the file ended too early.
    public var damagedPackets: UInt64 { session.damagedPackets }

    /// Of the child, while it runs.
    public var processID: Int32? { session.processID }

    /// Ends the child and waits for it.
    public func close() async {
        session.cancel(VideoError("the reader is closed"))
        await session.waitForEnd()
    }
}
