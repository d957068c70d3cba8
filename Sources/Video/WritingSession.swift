import Glibc
import NIOCore
import Synchronization
import Threads

/// One `framemesh-video write` and the thread that serves it.
final class WritingSession: Sendable {
    enum Command: Sendable {
        case frame(ByteBuffer, captureTime: Int64)
        case end
    }

    enum Reply: Sendable {
        case ready(VideoInfo)
        case done(frames: UInt64)
    }

    private let path: String
    private let part: PartName
    private let child = Child()
    private let commands = Outbox<Command>(capacity: VideoLimits.writeAhead)
    private let replies = Mailbox<Reply>(capacity: 2)
    private let ended = Latch()
    private let stackBytes: Int

    /// - Parameter stackBytes: of the thread.
    init(_ path: String, part: PartName = PartName(), stackBytes: Int = OwnThread.usualStackBytes) {
        self.path = path
        self.part = part
        self.stackBytes = stackBytes
    }

    var processID: Int32? { child.processID }

    func start(helper: String, arguments: [String]) {
        do throws(ThreadError) {
            try OwnThread.start("video write", stackBytes: stackBytes) { [self] in
                var outcome: Result<Void, any Error> = .success(())
                do {
                    try serve(helper, ["write", path, "--part", part.chance] + arguments)
                    commands.close(VideoError("\(path): is finished"))
                } catch {
                    outcome = .failure(error)
                    commands.close(error)
                }
                replies.finish(outcome)
                ended.open()
            }
        } catch {
            commands.close(VideoError(error))
            replies.finish(.failure(VideoError(error)))
            ended.open()
        }
    }

    /// Hands over a command. If the task is cancelled, the child has ended and no file is left when this throws.
    func send(_ command: Command) async throws {
        try await cancelling { [self] in
            try await commands.put(command) { [self] in cancel(CancellationError()) }
        }
    }

    func reply() async throws -> Reply? {
        try await cancelling { [self] in
            try await replies.take { [self] in cancel(CancellationError()) }
        }
    }

    func cancel(_ error: any Error) {
        commands.close(error)
        replies.cancel(error)
        child.kill()
    }

    func waitForEnd() async { await ended.wait() }

    private func cancelling<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as CancellationError {
            cancel(error)
            await ended.wait()
            throw error
        }
    }

    // MARK: On the thread

    private enum LastWord {
        case done(frames: UInt64)
        case fail(String)
        /// The pipe ended, or nobody wants the file any more.
        case none
    }

    private func serve(_ helper: String, _ arguments: [String]) throws {
        var pipes = try child.start(helper, arguments)
        var frames: UInt64 = 0
        do {
            let word = try writeRecords(&pipes, &frames)
            if case .none = word { child.kill() }
            pipes.closeInput()
            if !pipes.drainErrors(milliseconds: VideoLimits.endGraceMilliseconds) { child.kill() }
            let ending = child.waitForEnd()
            switch word {
            case .done(let frames): put(.done(frames: frames))
            case .fail(let text): throw VideoError(text)
            case .none:
                throw ending.error(while: "writing \(path) after \(frames) frames", said: pipes.lastWords)
            }
        } catch {
            child.kill()
            _ = child.waitForEnd()
            // It has removed it itself unless it was killed.
            unsafe unlink(part.path(beside: path))
            throw error
        }
    }

    private func writeRecords(_ pipes: inout ChildPipes, _ frames: inout UInt64) throws -> LastWord {
        guard let head = try pipes.head(frameByteCount: nil), var body = pipes.body(head.byteCount) else {
            return .none
        }
        switch head.kind {
        case .info: put(.ready(try Record.info(&body)))
        case .fail: return .fail(Record.text(&body))
        case .frame, .end: throw VideoError("framemesh-video sent a \(head.kind) record before INFO")
        }
        while let command = commands.take() {
            switch command {
            case .frame(let pixels, let captureTime):
                let start = Record.frame(
                    index: frames, captureTime: captureTime, pixelByteCount: pixels.readableBytes)
                guard pipes.write(start), pipes.write(pixels) else { return try lastWord(&pipes) }
                frames += 1
            case .end:
                _ = pipes.write(Record.end(frames: frames))
                pipes.closeInput()
                return try lastWord(&pipes)
            }
        }
        return .none
    }

    private func lastWord(_ pipes: inout ChildPipes) throws -> LastWord {
        guard let head = try pipes.head(frameByteCount: nil), var body = pipes.body(head.byteCount) else {
            return .none
        }
        switch head.kind {
        case .end: return .done(frames: try Record.end(&body).frames)
        case .fail: return .fail(Record.text(&body))
        case .info, .frame: throw VideoError("framemesh-video sent a \(head.kind) record in place of its last word")
        }
    }

    /// There is a place for each of the two replies.
    private func put(_ reply: Reply) {
        if replies.reserve() { replies.put(reply) }
    }
}
