package import Client
package import Messages
package import NIOCore
import NIOPosix
import Synchronization
package import Video
import Vision

/// Sends the frames of a video as one stream.
///
///     let player = VideoPlayer(client: client, stream: "street.mp4", limits: .lossless) { frame in
///         AnalyzeRequest(frame: frame, pipeline: "track")
///     }
///     try await player.run(reader) { response, _ in print(response.detections.count) }
package struct VideoPlayer: Sendable {
    let client: MeshClient
    let stream: String
    let limits: InFlightLimits
    let request: @Sendable (Frame) -> AnalyzeRequest
    package var encoding = FrameEncoding.auto
    /// Frames before this one are decoded and not sent.
    package var first: UInt64 = 0
    /// This one and those behind it are not sent, nor waited for; nil: all are.
    package var end: UInt64?
    /// Of the first connection; each that is lost adds one.
    package var epoch: UInt32 = 0
    /// The pixels of a frame are handed out again with its answer.
    package var keepsPixels = false
    /// Waits until a frame is to be sent.
    package var pace: @Sendable (VideoFrame) async throws -> Void = { _ in }
    /// Told of a coordinator that was lost, and of the frames that are sent again.
    package var resumed: @Sendable (_ reason: String, _ again: Int) -> Void = { _, _ in }

    /// - Parameters:
    ///   - stream: the name that its frames bear.
    ///   - request: what is asked of a frame.
    package init(
        client: MeshClient, stream: String, limits: InFlightLimits,
        request: @Sendable @escaping (Frame) -> AnalyzeRequest
    ) {
        self.client = client
        self.stream = stream
        self.limits = limits
        self.request = request
    }

    private struct Kept: Sendable {
        var captureTime: Int64
        var pixels: ByteBuffer?
    }

    /// Numbers that the source leaves out are answered, too: dropped, without pixels.
    /// - Parameter answer: takes each answer, in order; `pixels` as decoded, if they are kept.
    /// - Throws: `VideoError` for the file, otherwise as `FrameStream.run`.
    package func run(
        _ reader: some FrameSource, answer: (_ response: AnalyzeResponse, _ pixels: ByteBuffer?) async throws -> Void
    ) async throws {
        let info = reader.info
        let quality = encoding.quality(sameHost: client.isThisHost, frameBytes: info.frameByteCount)
        let frames = FrameStream<Kept>(client: client, limits: limits, epoch: epoch, resumed: resumed)
        let order = Mutex(FrameOrder(first: first))
        try await frames.run {
            let next: VideoFrame
            switch try await Self.due(order, before: end, reader) {
            case nil: return nil
            case .leftOut(let number, let newer, let captureTime):
                let kept = Kept(captureTime: captureTime, pixels: nil)
                return .refused(Self.dropped(number, stream, newer), keep: kept)
            case .frame(let frame): next = frame
            }
            try await pace(next)
            let frame = Frame(
                stream: stream, sequence: next.index, captureTime: next.captureTime, encoding: .bgr8,
                width: info.width, height: info.height, payload: .attached(next.pixels))
            let kept = Kept(captureTime: next.captureTime, pixels: keepsPixels ? next.pixels : nil)
            // Sent raw, frame and kept pixels are the same memory.
            return .frame(
                request(try await Self.encode(frame, quality)), keep: kept,
                bytes: quality == nil ? 0 : kept.pixels?.readableBytes ?? 0)
        } answer: { response, kept in
            // One that was dropped bears no time.
            var response = response
            response.captureTime = kept.captureTime
            try await answer(response, kept.pixels)
        }
    }

    private static func due(
        _ order: borrowing Mutex<FrameOrder>, before end: UInt64?, _ reader: some FrameSource
    ) async throws -> FrameOrder.Due? {
        while order.withLock({ $0.next < end ?? .max }) {
            if let due = order.withLock({ $0.due() }) { return due }
            guard let frame = try await reader.next() else { return nil }
            order.withLock { $0.came(frame) }
        }
        return nil
    }

    /// In the words of coordinators, which drop frames for the same reason.
    private static func dropped(_ number: UInt64, _ stream: String, _ newer: UInt64) -> AnalyzeResponse {
        var response = AnalyzeResponse()
        response.stream = stream
        response.sequence = number
        response.status = .dropped
        response.cause = "replaced by the newer frame \(newer)"
        return response
    }

    private static func encode(_ frame: Frame, _ quality: Int?) async throws -> Frame {
        guard let quality else { return frame }
        let jpeg = try await NIOThreadPool.singleton.runIfActive {
            try Image(decoding: frame).jpeg(quality: quality)
        }
        var encoded = frame
        encoded.encoding = .jpeg
        encoded.width = 0
        encoded.height = 0
        encoded.payload = .attached(jpeg)
        return encoded
    }
}
