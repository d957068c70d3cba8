import Logging
import Messages
import NIOPosix
import Playback
import RPC
import Results
import Vision

/// The frames of one stream with what was found drawn on them: once for all who look on, and not at all if nobody does.
///
/// Frames that come while one is drawn are left out, but for the newest.
final class MovingPictures: Sendable {
    struct Answered: Sendable {
        var response: AnalyzeResponse
        var frame: Frame
        var arrived: ContinuousClock.Instant
        /// The width of a pixel to its height.
        var pixelAspect: Double
    }

    let viewers: Broadcast
    private let quality: Int
    private let logger: Logger
    private let lines = LineGates()
    private let toDraw = HandOver<Answered>()

    /// - Parameter quality: of JPEG, 1…100.
    init(_ viewers: Broadcast, quality: Int, logger: Logger) {
        self.viewers = viewers
        self.quality = quality
        self.logger = logger
    }

    func show(_ answered: Answered) {
        guard viewers.viewerCount > 0 else { return }
        // Which one it takes the place of, nobody asks.
        _ = toDraw.replace(answered)
    }

    /// Draws until `end`, or until the task is cancelled.
    func run() async {
        while let next = await toDraw.take() {
            do {
                let jpeg = try await NIOThreadPool.singleton.runIfActive { [quality] in
                    try AnnotatedPicture.draw(next.response, on: next.frame).jpeg(quality: quality)
                }
                let age = ContinuousClock.now - next.arrived
                viewers.publish(
                    PicturePart.bytes(
                        jpeg: jpeg, sequence: next.response.sequence, age: age, pixelAspect: next.pixelAspect))
            } catch {
                note(error)
            }
        }
    }

    /// It may be the same with every frame.
    private func note(_ error: any Error) {
        guard logger.logLevel <= .info, let skipped = lines.pass("frame not drawn") else { return }
        var fields: Logger.Metadata = ["error": "\(SystemError.forLog(error))"]
        if skipped > 0 { fields["skipped"] = "\(skipped)" }
        logger.info("frame not drawn", metadata: fields)
    }

    /// Nothing comes any more; what waits is not drawn.
    func end() {
        toDraw.discard()
        viewers.finish()
    }
}
