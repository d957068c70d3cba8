import NIOCore
import Synchronization
import Threads

/// One `framemesh-video read` or `watch` and the thread that serves it.
///
/// The thread starts the child, moves the pixels by blocking reads straight from the pipe into a frame's own buffer (an event
/// loop would read into a buffer of its own first and copy once more), and waits for the end; no task and no event loop ever
/// blocks for a video.
final class ReadingSession: Sendable {
    enum Event: Sendable {
        case info(VideoInfo)
        case frame(VideoFrame)
    }

    private enum LastWord {
        case end(damaged: UInt64, early: String)
        case fail(String)
        /// The pipe ended.
        case none
    }

    /// Of the file, or the URL as one may tell it.
    private let path: String
    private let child = Child()
    private let events = Mailbox<Event>(capacity: VideoLimits.readAhead)
    private let ended = Latch()
    private let damaged = Atomic<UInt64>(0)
    private let stackBytes: Int

    /// - Parameter stackBytes: of the thread.
    init(_ path: String, stackBytes: Int = OwnThread.usualStackBytes) {
        self.path = path
        self.stackBytes = stackBytes
    }

    var damagedPackets: UInt64 { damaged.load(ordering: .acquiring) }
    var processID: Int32? { child.processID }

    /// - Parameters:
    ///   - arguments: the role and what it is about.
    ///   - input: what the child reads from its standard input.
    func start(helper: String, _ arguments: [String], input: String = "") {
        do throws(ThreadError) {
            try OwnThread.start("video read", stackBytes: stackBytes) { [self] in
                var outcome: Result<Void, any Error> = .success(())
                do {
                    try serve(helper, arguments, input)
                } catch {
                    outcome = .failure(error)
                }
                events.finish(outcome)
                ended.open()
            }
        } catch {
            events.finish(.failure(VideoError(error)))
            ended.open()
        }
    }

    /// The next event. If the task is cancelled, the child has ended when this throws.
    func next() async throws -> Event? {
        do {
            return try await events.take { [self] in cancel(CancellationError()) }
        } catch let error as CancellationError {
            cancel(error)
            await ended.wait()
            throw error
        }
    }

    func cancel(_ error: any Error) {
        events.cancel(error)
        child.kill()
    }

    func waitForEnd() async { await ended.wait() }

    // MARK: On the thread

    private func serve(_ helper: String, _ arguments: [String], _ input: String) throws {
        var pipes = try child.start(helper, arguments)
        // A child that does not read it says why, or how it ended.
        if !input.isEmpty { _ = pipes.write(ByteBuffer(string: input)) }
        pipes.closeInput()
        var frames: UInt64 = 0
        let word: LastWord
        do {
            word = try readRecords(&pipes, &frames)
        } catch {
            child.kill()
            _ = child.waitForEnd()
            throw error
        }
        if !pipes.drainErrors(milliseconds: VideoLimits.endGraceMilliseconds) { child.kill() }
        let ending = child.waitForEnd()
        switch word {
        case .end(let damaged, let early):
            self.damaged.store(damaged, ordering: .releasing)
            guard early.isEmpty else { throw VideoError("\(path): ended too early, after \(frames) frames: \(early)") }
        case .fail(let text):
            throw VideoError(text)
        case .none:
            throw ending.error(while: "reading \(path) after \(frames) frames", said: pipes.lastWords)
        }
    }

    private func readRecords(_ pipes: inout ChildPipes, _ frames: inout UInt64) throws -> LastWord {
        var info: VideoInfo?
        while true {
            // Before anything is taken from the pipe: a slow consumer fills it, and the child waits.
            guard events.reserve() else { return .none }
            guard let head = try pipes.head(frameByteCount: info?.frameByteCount) else { return .none }
            guard var body = pipes.body(head.kind == .frame ? Record.frameHeadByteCount : head.byteCount) else {
                return .none
            }
            switch head.kind {
            case .info:
                guard info == nil else { throw VideoError("framemesh-video sent INFO twice") }
                let said = try Record.info(&body)
                info = said
                events.put(.info(said))
                // Places for large frames stay empty.
                for _ in VideoLimits.readAhead(frameByteCount: said.frameByteCount)..<VideoLimits.readAhead {
                    guard events.reserve() else { return .none }
                }
            case .frame:
                let (index, captureTime) = try Record.frameHead(&body)
                guard index == frames else {
                    throw VideoError("framemesh-video sent frame \(index) in place of \(frames)")
                }
                guard let pixels = pipes.body(head.byteCount - Record.frameHeadByteCount) else { return .none }
                frames += 1
                events.put(.frame(VideoFrame(index: index, captureTime: captureTime, pixels: pixels)))
            case .end:
                let end = try Record.end(&body)
                return .end(damaged: end.damaged, early: end.early)
            case .fail:
                return .fail(Record.text(&body))
            }
        }
    }
}
