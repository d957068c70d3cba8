package import Playback
package import RPC

/// How many live sources there are, and how patient the gateway is with them.
package struct StreamLimits: Sendable, Equatable {
    /// Running ones, and ended ones that are still shown.
    package var streams = 16
    /// Characters of a name.
    package var name = 100
    /// Frames of one stream that are with the mesh.
    package var framesInFlight = 64
    /// Bytes of them.
    package var bytesInFlight = 64 << 20
    /// Requests that wait with a frame of one stream under the policy `lossless`.
    package var waitingFrames = 16
    /// How long a request waits for the result of its frame (`?wait=true`).
    package var frameWait = Duration.seconds(10)
    /// A stream without a frame for this long is stalled.
    package var stall = Duration.seconds(5)
    /// A pushed stream without a frame for this long ends.
    package var pushIdle = Duration.seconds(60)
    /// A stream that has ended or failed is shown for this long.
    package var remembered = Duration.seconds(120)
    /// A gateway that is not heard of for this long has lost its streams to whichever gateway comes next.
    package var lease = Duration.seconds(15)
    /// With sources that are called, and with a mesh that is lost.
    package var sources = SourceLimits()
    /// Of moving pictures, 1…100.
    package var pictureQuality = 80

    package init() {}

    package static let limits: [Limit<StreamLimits>] =
        own + SourceLimits.limits.map { $0.under(\.sources) } + ofPictures

    private static let own: [Limit<StreamLimits>] = [
        Limit("streams", \.streams, .count, "Live streams."),
        Limit("stream-name", \.name, .count, "Characters of a stream's name."),
        Limit("stream-frames-in-flight", \.framesInFlight, .count, "Frames of one stream that are with the mesh."),
        Limit("stream-bytes-in-flight", \.bytesInFlight, .bytes, "Bytes of them."),
        Limit(
            "stream-waiting-frames", \.waitingFrames, .count,
            "Requests that wait with a frame of one stream under the policy lossless."),
        Limit("stream-frame-wait", \.frameWait, "How long a request waits for the result of its frame."),
        Limit("stream-stall", \.stall, "A stream without a frame for so long is stalled."),
        Limit("stream-push-idle", \.pushIdle, "A pushed stream without a frame for so long ends."),
        Limit("stream-remembered", \.remembered, "How long a stream that has ended is shown."),
        Limit(
            "stream-lease", \.lease, in: .seconds(5)...(.seconds(3600)),
            "After so long the streams of a gateway that has died go on at another one."),
    ]

    private static let ofPictures: [Limit<StreamLimits>] = [
        Limit("stream-picture-quality", \.pictureQuality, .count, in: 1...100, "JPEG quality of moving pictures.")
    ]
}
