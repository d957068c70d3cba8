package import Messages

/// Detections as CSV (RFC 4180), one row each; a frame without a result has a row that says so, and a frame in which
/// nothing was found has none. `cause` is why there is no result, or only a partial one.
///
/// A text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, a tab or the end of a line)
/// has an apostrophe before it, as OWASP advises ("CSV Injection").
package enum CSVRows {
    /// The first row.
    package static let header =
        "sequence,time_ms,epoch,status,label,class_id,confidence,x,y,width,height,track_id,class,class_confidence,cause\r\n"

    /// Rows with their line ends. Boxes in pixels of the frame; `class` is the best that a classifier says of a box, or of
    /// the whole frame, which then is a row without a box.
    package static func rows(of response: AnalyzeResponse) -> String {
        let frame = [
            String(response.sequence), JSONText.number(Double(response.captureTime) / 1000, decimals: 3),
            String(response.epoch), response.status.word,
        ]
        let cause = [quoted(response.cause)]
        guard response.isAnswered else { return row(frame + Array(repeating: "", count: 10) + cause) }
        var text = ""
        for detection in response.detections {
            text += row(
                frame + [
                    quoted(detection.label), String(detection.classID), confidence(detection.confidence),
                    pixels(detection.box.x), pixels(detection.box.y), pixels(detection.box.width),
                    pixels(detection.box.height), detection.trackID.map { String($0) } ?? "",
                ] + best(detection.classes) + cause)
        }
        if !response.classes.isEmpty {
            text += row(frame + Array(repeating: "", count: 8) + best(response.classes) + cause)
        }
        return text
    }

    private static func best(_ classes: [Classification]) -> [String] {
        classes.first.map { [quoted($0.label), confidence($0.confidence)] } ?? ["", ""]
    }

    private static func row(_ fields: [String]) -> String { fields.joined(separator: ",") + "\r\n" }

    private static func confidence(_ value: Float) -> String { JSONText.number(Double(value), decimals: 4) }

    private static func pixels(_ value: Float) -> String { JSONText.number(Double(value), decimals: 2) }

    private static func quoted(_ text: String) -> String {
        // Scalars: "\r\n" is one character, and so is "=" with an accent upon it.
        guard let first = text.unicodeScalars.first, ["=", "+", "-", "@", "\t", "\r", "\n"].contains(first) else {
            return field(text)
        }
        return field("'" + text)
    }

    private static func field(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { ["\"", ",", "\r", "\n"].contains($0) }) else { return text }
        var quoted = String.UnicodeScalarView("\"".unicodeScalars)
        for scalar in text.unicodeScalars { quoted.append(contentsOf: scalar == "\"" ? [scalar, scalar] : [scalar]) }
        quoted.append("\"")
        return String(quoted)
    }
}
