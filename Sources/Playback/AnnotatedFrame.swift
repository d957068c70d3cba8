package import Messages
package import NIOCore
import NIOPosix
import Results
import Vision

/// A frame of a video with what was found drawn on it.
package enum AnnotatedFrame {
    /// A frame that was dropped stays in the video, and says so.
    /// - Parameter pixels: BGR8, rows packed.
    /// - Returns: as `pixels`.
    /// - Throws: `VisionError`; `CancellationError`.
    package static func draw(
        _ response: AnalyzeResponse, on pixels: ByteBuffer, width: Int, height: Int
    ) async throws -> ByteBuffer {
        let frame = Frame(encoding: .bgr8, width: width, height: height, payload: .attached(pixels))
        return try await NIOThreadPool.singleton.runIfActive {
            try AnnotatedPicture.draw(response, on: frame, showingStatus: true).pixels
        }
    }
}
