import Playback
import Synchronization
import Video

/// Takes all frames of a live source as they come, and hands out the newest: whoever is slow behind it gets no old frames,
/// and at most one waits here. The numbers of those that nobody gets are missing. The last one that is wanted is not replaced.
final class NewestFrames: FrameSource {
    private let source: any FrameSource
    private let end: UInt64?
    private let frames = HandOver<VideoFrame>()
    private let failure = Mutex<(any Error)?>(nil)

    private init(_ source: any FrameSource, _ end: UInt64?) {
        self.source = source
        self.end = end
    }

    /// Runs `body`, while frames are taken from `source`; that goes on belonging to the caller.
    /// - Parameter end: the number of the frame from which on none is taken; nil: all are.
    static func with<Value>(
        _ source: any FrameSource, end: UInt64? = nil, _ body: (NewestFrames) async throws -> Value
    ) async throws -> Value {
        let newest = NewestFrames(source, end)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await newest.takeAll() }
            defer { tasks.cancelAll() }
            return try await body(newest)
        }
    }

    private func takeAll() async {
        do {
            while let frame = try await source.next() {
                _ = frames.replace(frame)
                if let end, frame.index + 1 >= end { break }
            }
        } catch {
            failure.withLock { $0 = error }
        }
        frames.finish()
    }

    var info: VideoInfo { source.info }
    var damagedPackets: UInt64 { source.damagedPackets }

    func next() async throws -> VideoFrame? {
        if let frame = await frames.take() { return frame }
        try Task.checkCancellation()
        if let failure = failure.withLock({ $0 }) { throw failure }
        return nil
    }

    func close() async { await source.close() }
}
