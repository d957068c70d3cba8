package import RPC

/// What a request with pictures may take.
package struct PictureLimits: Sendable {
    package var maxPictureBytes = 16 << 20
    /// Of one multipart request.
    package var maxPictures = 16
    /// All pictures of one multipart request, and what stands between them.
    package var maxMultipartBytes = 64 << 20
    package var maxPartHeaderBytes = 8 << 10
    /// Of all requests together; more is refused.
    package var maxUploadMemory = 256 << 20
    /// Pictures that are analysed at one time; more are refused.
    package var maxRunning = 768
    /// For the whole upload.
    package var uploadTime: Duration = .seconds(60)
    /// The longest deadline that a request may ask for.
    package var maxDeadline: Duration = .seconds(300)
    /// Of a picture that is drawn on, before it is decoded.
    package var maxDrawnPixels = 50_000_000

    package init() {}

    package static let limits: [Limit<PictureLimits>] = [
        Limit("max-picture-bytes", \.maxPictureBytes, .bytes, in: 1...(64 << 20), "One picture."),
        Limit("max-pictures", \.maxPictures, .count, in: 1...1000, "Pictures of one multipart request."),
        Limit("max-multipart-bytes", \.maxMultipartBytes, .bytes, "One multipart request."),
        Limit("max-part-header-bytes", \.maxPartHeaderBytes, .bytes, "The header of one part."),
        Limit(
            "max-upload-memory", \.maxUploadMemory, .bytes, "Pictures, and pushed frames, in memory; more are refused."),
        Limit("max-running-pictures", \.maxRunning, .count, "Pictures analysed at one time; more are refused."),
        Limit("upload-time", \.uploadTime, "For the whole upload of pictures."),
        Limit("max-deadline", \.maxDeadline, "The longest deadline that a request may ask for."),
        Limit("max-drawn-pixels", \.maxDrawnPixels, .count, "Pixels of the largest picture that is drawn on."),
    ]
}
