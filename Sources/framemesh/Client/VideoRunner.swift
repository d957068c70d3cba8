import Client
import Foundation
import Messages
import Playback
import Results
import Video

/// Sends the frames of a video file, of a folder of pictures, of a camera or of a source with a URL as one stream, and writes
/// the video again with what was found drawn on it.
struct VideoRunner: Sendable {
    /// Where a container names no rate, for the annotated video; its frames carry their true times anyway.
    static let assumedFrameRate = 25.0

    let client: MeshClient
    let options: AnalyzeOptions
    /// Of a live source, in place of that of `options`: nobody can hold it back for long.
    var livePolicy = StreamPolicy.latest
    var encoding = FrameEncoding.auto
    /// Frames are sent when their capture time comes, as a camera would; always so where the newest wins.
    var realtime = false
    /// No more frames of the source than these; nil: all.
    var maxFrames: UInt64?
    /// Of a folder of pictures, which says none (nil: `PictureSequence.assumedFrameRate`), or asked of a camera (nil: as it
    /// likes).
    var frameRate: Double?
    /// Asked of a camera; nil: as it likes.
    var cameraSize: CameraSize?
    var cameraFormat: CameraFormat?
    /// Of sources with a URL.
    var calling = SourceCalling()
    /// Path of the annotated MP4; nil: none.
    var output: String?
    /// Told of a coordinator that was lost, and of the frames that are sent again.
    var resumed: @Sendable (_ reason: String, _ again: Int) -> Void = { _, _ in }
    /// Path of `framemesh-video`.
    let helper: String

    /// - Parameters:
    ///   - opened: told what the file is before the first frame goes.
    ///   - answer: takes each answer, in order.
    ///   - damaged: told at the end, of a file that has them, of the packets that were left out or decoded with errors.
    ///   - cutShort: told, where the run does not come to its end, of the frames that `output` has all the same; 0: there
    ///     is no file.
    /// - Throws: `VideoError` for the file, otherwise as `FrameStream.run`.
    func run(
        _ input: VideoInput, opened: (VideoInfo) -> Void = { _ in }, answer: (SourceAnswer) async throws -> Void,
        damaged: (_ packets: UInt64) -> Void = { _ in }, cutShort: (_ written: Int) -> Void = { _ in }
    ) async throws {
        let reader = try await open(input)
        let info = reader.info
        let beginning = info.isLive ? Int64((Date().timeIntervalSince1970 - info.age / .seconds(1)) * 1_000_000) : nil
        opened(info)
        defer { if reader.damagedPackets > 0 { damaged(reader.damagedPackets) } }
        do {
            var writer: VideoWriter?
            if let output {
                writer = try await VideoWriter.create(
                    output, width: info.width, height: info.height,
                    frameRate: info.frameRate > 0 ? info.frameRate : Self.assumedFrameRate, aspect: info.aspect,
                    helper: helper)
            }
            var written = 0
            do {
                let policy = info.isLive ? livePolicy : options.policy
                if info.isLive, policy == .latest {
                    try await NewestFrames.with(reader, end: maxFrames) { newest in
                        try await run(input, newest, policy, beginning, writer, &written, answer)
                    }
                } else {
                    try await run(input, reader, policy, beginning, writer, &written, answer)
                }
                if let writer { try await Self.toItsEnd { try await writer.finish() } }
            } catch {
                cutShort(await keep(writer, written))
                throw error
            }
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
    }

    private func open(_ input: VideoInput) async throws -> any FrameSource {
        switch input {
        case .file(let path): try await VideoReader.open(path, helper: helper)
        case .folder(let path):
            try await PictureSequence.open(path, frameRate: frameRate ?? PictureSequence.assumedFrameRate)
        case .camera(let path):
            try await VideoReader.camera(
                path, size: cameraSize, format: cameraFormat, frameRate: frameRate, helper: helper)
        case .url(let url): try await LiveSource.open(url, calling, helper: helper)
        }
    }

    /// Ends the annotated video early, with what is in it.
    /// - Returns: its frames; 0: there is no file.
    private func keep(_ writer: VideoWriter?, _ written: Int) async -> Int {
        guard let writer else { return 0 }
        if written > 0, (try? await Self.toItsEnd { try await writer.finish() }) != nil { return written }
        await writer.abort()
        return 0
    }

    /// Runs `body`, which is short, also where the run is cancelled meanwhile: a writer that is cancelled leaves no file.
    private static func toItsEnd(_ body: @Sendable @escaping () async throws -> Void) async throws {
        try await Task { try await body() }.value
    }

    /// - Parameters:
    ///   - time: of a frame, microseconds from the beginning of its source.
    ///   - beginning: of a live source, microseconds since 1970.
    /// - Returns: milliseconds since 1970; nil: it is not live.
    static func capturedAt(_ time: Int64, beginning: Int64?) -> Int64? {
        guard let beginning else { return nil }
        let (sum, isTooLarge) = beginning.addingReportingOverflow(time)
        return isTooLarge ? nil : sum / 1000
    }

    /// - Parameter beginning: as `capturedAt`.
    private func run(
        _ input: VideoInput, _ reader: any FrameSource, _ policy: StreamPolicy, _ beginning: Int64?,
        _ writer: VideoWriter?, _ written: inout Int, _ answer: (SourceAnswer) async throws -> Void
    ) async throws {
        let info = reader.info
        let name = input.streamName
        var options = options
        options.policy = policy
        var player = VideoPlayer(
            client: client, stream: name, limits: policy == .lossless ? .lossless : .live
        ) { [options] in options.request($0) }
        player.end = maxFrames
        player.encoding = encoding
        player.keepsPixels = writer != nil
        player.resumed = resumed
        // A live source sets the pace itself.
        if realtime || policy == .latest, !info.isLive {
            let start = ContinuousClock.now
            player.pace = {
                try await Task.sleep(until: start + .microseconds($0.captureTime), clock: .continuous)
            }
        }
        try await player.run(reader) { response, pixels in
            if let writer, let pixels {
                let annotated = try await AnnotatedFrame.draw(
                    response, on: pixels, width: info.width, height: info.height)
                try await Self.toItsEnd { try await writer.write(annotated, captureTime: response.captureTime) }
                written += 1
            }
            let capturedAt = Self.capturedAt(response.captureTime, beginning: beginning)
            try await answer(
                SourceAnswer(source: input.name, stream: name, response: response, capturedAt: capturedAt))
        }
    }
}
