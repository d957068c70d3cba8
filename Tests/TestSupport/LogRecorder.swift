public import Logging
import Synchronization

/// A logger that keeps what is written.
public final class LogRecorder: Sendable {
    public struct Line: Sendable {
        public var level: Logger.Level
        public var message: String
        public var metadata: [String: String]
    }

    private let state = Mutex<[Line]>([])
    private let stream = AsyncStream.makeStream(of: Line.self)

    public init() {}

    public var lines: [Line] { state.withLock { $0 } }

    fileprivate func write(_ line: Line) {
        state.withLock { $0.append(line) }
        stream.continuation.yield(line)
    }

    /// The next line, once it is there.
    public func next() async -> Line? {
        var iterator = stream.stream.makeAsyncIterator()
        return await iterator.next()
    }

    public var logger: Logger {
        var logger = Logger(label: "recorded") { [self] _ in Handler(recorder: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            recorder.write(
                Line(
                    level: event.level, message: "\(event.message)",
                    metadata: (event.metadata ?? [:]).mapValues { "\($0)" }))
        }
    }
}
