import Logging
import Telemetry
import Traces
import UnixSignals

/// The log of a role: lines on standard error, since standard output is for results. Its level may change while the role runs.
struct ProcessLog: Sendable {
    let logger: Logger
    private let levels: LogLevels

    init(_ label: String, _ format: LogFormat, _ level: Logger.Level) {
        let levels = LogLevels(level)
        self.levels = levels
        logger = Logger(label: "framemesh.\(label)") {
            LineLogHandler(label: $0, format: format, levels: levels, provider: TraceContext.ofTask)
        }
    }

    /// While `body` runs, SIGUSR1 makes the log say one level more, and SIGUSR2 one less.
    func followingSignals<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        let signals = await UnixSignalsSequence(trapping: .sigusr1, .sigusr2)
        let watch = Task {
            for await signal in signals {
                levels.change(toMore: signal == .sigusr1)
                // Whoever asked wants to see that it was heard, whatever the level.
                logger.log(level: levels.current, "the log level is now \(levels.current)")
            }
        }
        defer { watch.cancel() }
        return try await body()
    }
}
