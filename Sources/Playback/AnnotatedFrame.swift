package import Messages
package import NIOCore
import NIOPosix
import Results
package import Vision

/// A frame of a video with what was found drawn on it.
package enum AnnotatedFrame {
    /// A frame that was dropped stays in the video, and says so.
    /// - Parameters:
    ///   - pixels: BGR8, rows packed.
    ///   - outlines: of what is watched.
    /// - Returns: as `pixels`.
    /// - Throws: `VisionError`; `CancellationError`.
    package static func draw(
        _ response: AnalyzeResponse, on pixels: ByteBuffer, width: Int, height: Int, outlines: [Outline] = []
    ) async throws -> ByteBuffer {
        let frame = Frame(encoding: .bgr8, width: width, height: height, payload: .attached(pixels))
        return try await NIOThreadPool.singleton.runIfActive {
            try AnnotatedPicture.draw(response, on: frame, showingStatus: true, outlines: outlines).pixels
        }
    }
}
