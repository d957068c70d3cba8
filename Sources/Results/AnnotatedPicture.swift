package import Messages
package import Vision

/// A picture with what was found drawn on it.
package enum AnnotatedPicture {
    /// Decodes `frame` and draws; takes milliseconds of this thread.
    /// - Parameters:
    ///   - showingStatus: a frame of a video that was dropped stays in it, and says so.
    ///   - outlines: of what is watched.
    ///   - limits: of the picture, before it is decoded.
    /// - Throws: `VisionError` where the frame is no picture.
    package static func draw(
        _ response: AnalyzeResponse, on frame: Frame, showingStatus: Bool = false, outlines: [Outline] = [],
        limits: ImageLimits = .init()
    ) throws(VisionError) -> Image {
        let caption = showingStatus && response.status != .ok ? response.status.word : nil
        return try Image(decoding: frame, limits: limits)
            .drawing(response.detections, classes: response.classes, caption: caption, outlines: outlines)
    }
}
