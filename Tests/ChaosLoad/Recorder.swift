import Foundation
import Messages
import NIOCore
import RPC
import Synchronization

/// What became of each frame, one JSON object a line on standard output.
final class Recorder: Sendable {
    /// Lines are written once there are so many bytes.
    private static let bufferBytes = 1 << 16

    private let lines = Mutex<[UInt8]>([])

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
    }

    func add(_ line: Line) {
        let end = NIODeadline.now()
        write(
            """
            {"stream":"\(line.stream)","number":\(line.number),"planned":\(line.planned.uptimeNanoseconds),\
            "end":\(end.uptimeNanoseconds),"result":"\(line.result)","code":\(line.code),"cause":\(quoted(line.cause)),\
            "attempts":\(line.attempts),"node":"\(line.node)","true":\(line.isTrue),\
            "missing":[\(line.missing.map(quoted).joined(separator: ","))]}
            """)
    }

    /// How many frames of `stream` were to be answered.
    func sent(_ stream: String, _ count: UInt64) {
        write(#"{"sent":\#(count),"stream":"\#(stream)"}"#)
    }

    /// A stream's call ended though frames of it were unanswered.
    func broken(_ stream: String, unanswered: Int, _ error: (any Error)?) {
        let cause = error.map { ($0 as? RPCError).map { "\($0.code): \($0.message)" } ?? "\($0)" } ?? "ended early"
        write(
            """
            {"broken":"\(stream)","at":\(NIODeadline.now().uptimeNanoseconds),"unanswered":\(unanswered),\
            "cause":\(quoted(cause))}
            """)
    }

    func flush() { lines.withLock { Self.write(&$0) } }

    private func write(_ line: String) {
        lines.withLock { lines in
            lines += line.utf8
            lines.append(UInt8(ascii: "\n"))
            if lines.count >= Self.bufferBytes { Self.write(&lines) }
        }
    }

    private static func write(_ lines: inout [UInt8]) {
        FileHandle.standardOutput.write(Data(lines))
        lines = []
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
