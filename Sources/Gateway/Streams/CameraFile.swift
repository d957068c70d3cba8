import Messages
import Playback
import Video

/// A video file as if it were a camera: each frame at its time, again from the start at the end.
struct CameraFile {
    /// A file of one picture is not opened all the time.
    private static let shortestRound = Duration.seconds(1)

    let path: String
    let loop: Bool
    let helper: String

    func run(into stream: LiveStream) async {
        var redial = Redial(stream.rules.limits.sources)
        var random = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            do {
                repeat { try await once(into: stream, &redial) } while loop
                return
            } catch {
                if Task.isCancelled { return }
                let words = CameraTrouble.words(error, path: path)
                // Another helper may fare better, from the start again as at the end of the file.
                guard loop, let error = error as? VideoError, error.isOfHelper,
                    let wait = redial.wait(using: &random)
                else { return stream.fail(words) }
                stream.trouble(words)
                try? await Task.sleep(for: wait)
            }
        }
    }

    private func once(into stream: LiveStream, _ redial: inout Redial) async throws {
        let reader = try await VideoReader.open(path, helper: helper)
        do {
            let start = ContinuousClock.now
            stream.begin()
            var pace = FramePace(maxFrameRate: stream.specification.maxFrameRate)
            while let frame = try await reader.next() {
                redial.hadFrame()
                guard pace.wants(frame.captureTime) else { continue }
                try await Task.sleep(until: start + .microseconds(frame.captureTime), clock: .continuous)
                _ = await stream.offer(
                    Frame(frame, reader.info), sourceTime: frame.captureTime, pixelAspect: reader.info.aspect.ratio)
            }
            if loop { try await Task.sleep(until: start + Self.shortestRound, clock: .continuous) }
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
        try Task.checkCancellation()
    }
}

/// What is told of a source that does not work.
enum CameraTrouble {
    /// Not where the file is.
    static func words(_ error: any Error, path: String) -> String {
        guard let error = error as? VideoError else { return "the source cannot be read" }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return error.message.replacing(path, with: name)
    }
}

extension Frame {
    init(_ frame: VideoFrame, _ info: VideoInfo) {
        self.init(
            encoding: .bgr8, width: info.width, height: info.height, payload: .attached(frame.pixels))
    }
}
