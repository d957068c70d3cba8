import Foundation
import Logging

/// What is said once, as a line.
struct LogLine {
    var time: Date
    var level: Logger.Level
    var label: String
    var message: String
    var metadata: Logger.Metadata

    private var timeText: String { time.formatted(Self.timeStyle) }

    /// UTC, to the millisecond (RFC 3339).
    private static let timeStyle = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    func text(_ format: LogFormat) -> String {
        switch format {
        case .text: plain
        case .json: json
        }
    }

    private var plain: String {
        let head = "\(timeText) \(level) \(label): \(LineText.escaped(message))"
        return metadata.sorted { $0.key < $1.key }.reduce(into: head) {
            $0 += " \($1.key)=\(LineText.value("\($1.value)"))"
        }
    }

    private var json: String {
        var text = "{"
        for (key, value) in [("time", timeText), ("level", "\(level)"), ("label", label), ("message", message)] {
            text += "\(LineText.quoted(key)):\(LineText.quoted(value)),"
        }
        return text + "\"metadata\":\(Self.json(.dictionary(metadata)))}"
    }

    private static func json(_ value: Logger.Metadata.Value) -> String {
        switch value {
        case .string(let text): LineText.quoted(text)
        case .stringConvertible(let value): LineText.quoted("\(value)")
        case .array(let values): "[" + values.map(json).joined(separator: ",") + "]"
        case .dictionary(let fields):
            "{"
                + fields.sorted { $0.key < $1.key }.map { "\(LineText.quoted($0.key)):\(json($0.value))" }
                .joined(separator: ",") + "}"
        }
    }
}

/// Texts that stay on their line.
enum LineText {
    /// Controls, which could begin a line of their own or speak to a terminal, are written as JSON does.
    static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        return text.unicodeScalars.reduce(into: "") { $0 += isControl($1) ? escape($1) : String($1) }
    }

    /// In quotes where it has to be for the reader to see its end.
    static func value(_ text: String) -> String {
        let isPlain =
            !text.isEmpty && !text.unicodeScalars.contains { $0 == " " || $0 == "\"" || $0 == "=" || isControl($0) }
        return isPlain ? text : quoted(text)
    }

    /// As a string of JSON.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            default: result += isControl(scalar) ? escape(scalar) : String(scalar)
            }
        }
        return result + "\""
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.value == 0x2028 || scalar.value == 0x2029
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        default:
            let digits = String(scalar.value, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
    }
}
