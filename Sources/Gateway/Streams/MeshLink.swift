import Client
import HTTPTypes
import Logging
import Messages
import NIOCore
import NIOPosix
import Playback
import RPC
import Synchronization
import Vision

/// Takes the frames of a stream to the mesh and its answers back, over one coordinator after the other.
struct MeshLink {
    let stream: LiveStream
    private let client: @Sendable () async throws -> MeshClient
    private let reasons: PlainReasons

    /// - Parameter client: of the mesh; waits for one.
    init(_ stream: LiveStream, client: @escaping @Sendable () async throws -> MeshClient) {
        self.stream = stream
        self.client = client
        reasons = PlainReasons(stream.logger)
    }

    /// Until the source is over and all of it is answered, the mesh refuses the stream, or the task is cancelled.
    func run() async {
        var failures = 0
        var ended = 0
        // What was said over the calls before counts as earlier epochs.
        var epochs: UInt32 = 0
        var random = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            do {
                let mesh = try await client()
                return try await carry(to: mesh, &epochs)
            } catch {
                if Task.isCancelled { return }
                // A mesh that answered frames and is lost is called again as at first.
                let seen = stream.counts.ended
                failures = seen == ended ? failures + 1 : 1
                ended = seen
                let problem = Problem(error)
                stream.logger.notice("stream interrupted", metadata: ["error": "\(SystemError.forLog(error))"])
                stream.trouble(problem.detail)
                if problem.status == .badRequest { return stream.fail(problem.detail) }
                if stream.sourceIsOver { return }
                try? await Task.sleep(for: stream.rules.limits.sources.reconnect.wait(after: failures, using: &random))
            }
        }
    }

    private func carry(to mesh: MeshClient, _ epochs: inout UInt32) async throws {
        let base = epochs
        let limits = InFlightLimits(
            frames: stream.rules.limits.framesInFlight, bytes: stream.rules.limits.bytesInFlight)
        let frames = FrameStream<LiveStream.Offered>(client: mesh, limits: limits) { [stream] reason, again in
            stream.logger.notice(
                "stream goes on at another coordinator", metadata: ["reason": "\(reason)", "again": "\(again)"])
            stream.trouble(MeshReason.words(.unavailable, reason))
        }
        // Frames that were taken and have no answer; nothing of this stream runs any more when that is looked at last.
        let unanswered = Atomic(0)
        defer {
            let lost = unanswered.load(ordering: .relaxed)
            if lost > 0 { stream.lost(lost) }
        }
        try await frames.run { [stream] in
            guard var offered = await stream.frames.take() else { return nil }
            unanswered.add(1, ordering: .relaxed)
            offered.frame = try await Self.packed(offered.frame, sameHost: mesh.isThisHost)
            return .frame(
                Self.request(offered.frame, of: stream.specification), keep: offered,
                bytes: offered.frame.payload.bytes.readableBytes)
        } answer: { response, offered in
            var response = reasons.plain(response)
            let (epoch, overflows) = response.epoch.addingReportingOverflow(base)
            response.epoch = overflows ? .max : epoch
            epochs = max(epochs, response.epoch &+ 1)
            unanswered.subtract(1, ordering: .relaxed)
            stream.take(response, offered)
        }
    }

    private static func request(_ frame: Frame, of specification: StreamSpecification) -> AnalyzeRequest {
        AnalyzeRequest(
            frame: frame, pipeline: specification.pipeline.name, minConfidence: specification.minConfidence,
            policy: specification.policy, frameDeadline: specification.frameDeadline)
    }

    /// Pixels do not travel far, and not in any number.
    static func packed(_ frame: Frame, sameHost: Bool) async throws -> Frame {
        let bytes = frame.payload.bytes.readableBytes
        guard frame.encoding.isRaw,
            let quality = FrameEncoding.auto.quality(sameHost: sameHost, frameBytes: bytes)
        else { return frame }
        let jpeg = try await NIOThreadPool.singleton.runIfActive { try Image(decoding: frame).jpeg(quality: quality) }
        var compressed = frame
        compressed.encoding = .jpeg
        (compressed.width, compressed.height, compressed.rowStride) = (0, 0, 0)
        compressed.payload = .attached(jpeg)
        return compressed
    }
}
