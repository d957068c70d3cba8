import Foundation
import Messages
import NIOCore
import RPC
import Synchronization

/// What became of each frame, one JSON object a line on standard output.
final class Recorder: Sendable {
    private let output = Mutex(FileHandle.standardOutput)

    /// One frame's end.
    struct Line {
        /// Empty: a unary call.
        var stream: String
        var number: UInt64
        /// When it was to be sent; before it was, if the sender was held back. Nanoseconds of the monotonic clock.
        var planned: NIODeadline
        var result: String
        var code = 0
        var cause = ""
        /// Beyond the first of each stage.
        var attempts = 0
        var node = ""
        /// The content is that frame's.
        var isTrue = false
        /// Stages without an answer.
        var missing: [String] = []
        var epoch: UInt32 = 0
        /// The id that the tracker gave it.
        var track: UInt64?
        /// What it shows, if it is tracked.
        var object: UInt64?
    }

    /// The load begins.
    func begin() { write(#"{"start":\#(NIODeadline.now().uptimeNanoseconds)}"#) }

    func add(_ line: Line) {
        let end = NIODeadline.now()
        write(
            """
            {"stream":"\(line.stream)","number":\(line.number),"planned":\(line.planned.uptimeNanoseconds),\
            "end":\(end.uptimeNanoseconds),"result":"\(line.result)","code":\(line.code),"cause":\(quoted(line.cause)),\
            "attempts":\(line.attempts),"node":"\(line.node)","true":\(line.isTrue),\
            "missing":[\(line.missing.map(quoted).joined(separator: ","))],"epoch":\(line.epoch),\
            "track":\(line.track.map(String.init) ?? "null"),"object":\(line.object.map(String.init) ?? "null")}
            """)
    }

    /// An answer of a stream. What was not sent, or was answered before, is told too: with no truth it cannot be true.
    func answered(_ stream: String, _ response: AnalyzeResponse, _ frames: SentFrames, object: UInt64?) {
        let sent = frames.take(response.sequence) ?? Sent(planned: .now(), truth: "")
        var line = Line(stream, response, planned: sent.planned, truth: sent.truth)
        line.object = object
        add(line)
    }

    /// A stream found another coordinator.
    /// - Parameter again: frames that are sent for the second time.
    func resumed(_ stream: String, again: Int, _ reason: String) {
        write(#"{"resumed":"\#(stream)","again":\#(again),"cause":\#(quoted(reason))}"#)
    }

    /// How many frames of `stream` were to be answered.
    func sent(_ stream: String, _ count: UInt64) {
        write(#"{"sent":\#(count),"stream":"\#(stream)"}"#)
    }

    /// A stream ended; of its frames none should be unanswered.
    func ended(_ stream: String, _ frames: SentFrames, _ error: (any Error)?) {
        let lost = frames.takeAll()
        if error != nil || !lost.isEmpty { broken(stream, unanswered: lost.count, error) }
        for (number, sent) in lost {
            add(Line(stream: stream, number: number, planned: sent.planned, result: "lost", isTrue: true))
        }
    }

    private func broken(_ stream: String, unanswered: Int, _ error: (any Error)?) {
        let cause = error.map { ($0 as? RPCError).map { "\($0.code): \($0.message)" } ?? "\($0)" } ?? "ended early"
        write(
            """
            {"broken":"\(stream)","at":\(NIODeadline.now().uptimeNanoseconds),"unanswered":\(unanswered),\
            "cause":\(quoted(cause))}
            """)
    }

    /// At once: a scenario waits for what it reads.
    private func write(_ line: String) {
        output.withLock { $0.write(Data("\(line)\n".utf8)) }
    }

    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case _ where scalar.value < 0x20: result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

extension Recorder.Line {
    /// - Parameter truth: what a node must say of the frame.
    init(_ stream: String, _ response: AnalyzeResponse, planned: NIODeadline, truth: String) {
        self.init(stream: stream, number: response.sequence, planned: planned, result: "\(response.status)")
        code = response.code
        cause = response.cause
        attempts = response.attempts
        missing = response.missing
        epoch = response.epoch
        track = response.detections.first?.trackID
        let labels = response.detections.map(\.label) + response.classes.map(\.label)
        let answers = labels.map { $0.split(separator: " ") }
        node = answers.first?.first.map(String.init) ?? ""
        // Without an answer there is nothing that could be another frame's.
        isTrue =
            response.stream == stream && answers.allSatisfy { $0.count == 2 && $0[1] == truth }
            && (response.status != .ok || !answers.isEmpty)
    }

    init(_ stream: String, _ number: UInt64, planned: NIODeadline, _ error: any Error) {
        self.init(stream: stream, number: number, planned: planned, result: "error")
        let error = error as? RPCError
        code = error?.code.rawValue ?? StatusCode.unknown.rawValue
        cause = error?.message ?? "not an RPC error"
        isTrue = true
    }
}
