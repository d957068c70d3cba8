import Client
import Messages
import Playback
import Results
import Video

/// Sends the frames of a video file, or of a folder of pictures, or of a camera, as one stream, and writes the video again with what was found drawn on it.
struct VideoRunner: Sendable {
    /// Where a container names no rate, for the annotated video; its frames carry their true times anyway.
    static let assumedFrameRate = 25.0

    let client: MeshClient
    let options: AnalyzeOptions
    var encoding = FrameEncoding.auto
    /// Frames are sent when their capture time comes, as a camera would.
    var realtime = false
    /// Of a folder of pictures, which says none (nil: `PictureSequence.assumedFrameRate`), or asked of a camera (nil: as it
    /// likes).
    var frameRate: Double?
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
        _ path: String, opened: (VideoInfo) -> Void = { _ in }, answer: (SourceAnswer) async throws -> Void,
        damaged: (_ packets: UInt64) -> Void = { _ in }, cutShort: (_ written: Int) -> Void = { _ in }
    ) async throws {
        let reader = try await open(path)
        let info = reader.info
        opened(info)
        defer { if reader.damagedPackets > 0 { damaged(reader.damagedPackets) } }
        do {
            var writer: VideoWriter?
            if let output {
                writer = try await VideoWriter.create(
                    output, width: info.width, height: info.height,
                    frameRate: info.frameRate > 0 ? info.frameRate : Self.assumedFrameRate, helper: helper)
            }
            var written = 0
            do {
                try await run(path, reader, writer, &written, answer)
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

    private func open(_ path: String) async throws -> any FrameSource {
        if PictureSource.isDirectory(path) {
            return try await PictureSequence.open(path, frameRate: frameRate ?? PictureSequence.assumedFrameRate)
        }
        if VideoReader.isCamera(path) {
            return try await VideoReader.camera(path, frameRate: frameRate, helper: helper)
        }
        return try await VideoReader.open(path, helper: helper)
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

    private func run(
        _ path: String, _ reader: any FrameSource, _ writer: VideoWriter?, _ written: inout Int,
        _ answer: (SourceAnswer) async throws -> Void
    ) async throws {
        let info = reader.info
        let name = String(path.split(separator: "/").last ?? "video")
        var player = VideoPlayer(
            client: client, stream: name, limits: options.policy == .lossless ? .lossless : .live
        ) { [options] in options.request($0) }
        player.encoding = encoding
        player.keepsPixels = writer != nil
        player.resumed = resumed
        // A camera sets the pace itself.
        if realtime, !VideoReader.isCamera(path) {
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
            try await answer(SourceAnswer(source: path, stream: name, response: response))
        }
    }
}
