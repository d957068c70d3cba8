import Foundation
import Logging
import Synchronization
import Testing

@testable import Telemetry

@Suite struct LogTests {
    /// What a logger has written.
    private final class Lines: Sendable {
        private let state = Mutex<[String]>([])
        var all: [String] { state.withLock { $0 } }

        func logger(_ format: LogFormat, _ levels: LogLevels, _ provider: Logger.MetadataProvider? = nil) -> Logger {
            Logger(label: "framemesh.test") {
                LineLogHandler(label: $0, format: format, levels: levels, provider: provider) { line in
                    self.state.withLock { $0.append(line) }
                }
            }
        }
    }

    @Test func aLineOfTextIsForPeople() throws {
        let lines = Lines()
        lines.logger(.text, LogLevels(.info)).info(
            "call failed",
            metadata: ["code": "UNAVAILABLE", "cause": "no \"route\"\nat all", "frame": "7", "empty": ""])
        let line = try #require(lines.all.first)
        let (time, rest) = (line.prefix(24), line.dropFirst(24))
        #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
        #expect(
            rest
                == " info framemesh.test: call failed cause=\"no \\\"route\\\"\\nat all\" code=UNAVAILABLE empty=\"\" frame=7\n"
        )
    }

    @Test func aLineOfJSONIsOneObject() throws {
        struct Line: Decodable, Equatable {
            struct Metadata: Decodable, Equatable {
                var trace_id: String
                var message: String
                var list: [String]
                var more: [String: String]
            }
            var time: Date
            var level, label, message: String
            var metadata: Metadata
        }
        let lines = Lines()
        var logger = lines.logger(
            .json, LogLevels(.trace), .init { ["trace_id": "4bf9", "message": "of the provider"] })
        logger[metadataKey: "message"] = "of the logger"
        logger.warning(
            "größe \u{1} \u{2028} \"\\", metadata: ["message": "of the line", "list": ["a", "\n"], "more": ["k": "v"]])
        let text = try #require(lines.all.first)
        #expect(text.hasSuffix("}\n") && text.dropLast().allSatisfy { !$0.isNewline })
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            try Date(
                decoder.singleValueContainer().decode(String.self),
                strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        }
        let line = try decoder.decode(Line.self, from: Data(text.utf8))
        #expect(line.level == "warning")
        #expect(line.label == "framemesh.test")
        #expect(line.message == "größe \u{1} \u{2028} \"\\")
        #expect(
            line.metadata
                == Line.Metadata(trace_id: "4bf9", message: "of the line", list: ["a", "\n"], more: ["k": "v"]))
        #expect(abs(line.time.timeIntervalSinceNow) < 60)
    }

    @Test func theLevelChangesForAllLoggersThatHaveNoneOfTheirOwn() {
        let lines = Lines()
        let levels = LogLevels(.info)
        let logger = lines.logger(.text, levels)
        var own = logger
        own.logLevel = .error
        logger.debug("1")
        levels.change(toMore: true)
        logger.debug("2")
        own.debug("3")
        levels.change(toMore: false)
        levels.change(toMore: false)
        logger.info("4")
        logger.notice("5")
        #expect(lines.all.map { $0.split(separator: ": ").last } == ["2\n", "5\n"])
    }

    @Test func theLevelEndsAtItsEnds() {
        let levels = LogLevels(.debug)
        for _ in 0..<10 { levels.change(toMore: true) }
        #expect(levels.current == .trace)
        for _ in 0..<10 { levels.change(toMore: false) }
        #expect(levels.current == .critical)
    }
}
