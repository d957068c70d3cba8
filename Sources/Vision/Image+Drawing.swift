public import Messages

/// A box to draw, and the text beside it.
struct Mark: Hashable {
    var box: Box
    var text: String
    /// In place of `text` where there is little room.
    var brief: String
    /// Equal keys give equal colours.
    var colour: UInt64
}

/// A line of text in the upper or lower left corner; index 0 is nearest to the edge.
struct CornerLine: Hashable {
    var atTop: Bool
    var index: Int
    var text: String
}

extension Mark {
    /// A track keeps its colour; without one, a class does.
    init(_ detection: Detection) {
        let found = "\(detection.label) \(Self.twoDigits(detection.confidence))"
        let track = detection.trackID.map { " #\($0)" } ?? ""
        // The classifier's word, where it is another one.
        let named = detection.classes.first.flatMap { $0.label == detection.label ? nil : " / \(Self.words($0))" } ?? ""
        box = detection.box
        text = found + named + track
        brief = found + track
        colour = detection.trackID ?? UInt64(clamping: detection.classID)
    }

    /// Of ImageNet's synonyms the first.
    static func words(_ found: Classification) -> String {
        "\(found.label.prefix { $0 != "," }) \(twoDigits(found.confidence))"
    }

    /// 0.98, whatever the machine's language.
    static func twoDigits(_ value: Float) -> String {
        let hundredths = Int((min(max(value.isFinite ? value : 0, 0), 1) * 100).rounded())
        return hundredths >= 100 ? "1.00" : "0." + (hundredths < 10 ? "0" : "") + String(hundredths)
    }
}

extension Image {
    /// Classes of the whole picture that fit into a corner.
    private static let maxClassLines = 5

    /// A copy with boxes, labels, track ids drawn on it, and the classes of the whole picture in a corner.
    /// - Parameter outlines: below all else.
    public func drawing(
        _ detections: [Detection], classes: [Classification] = [], caption: String? = nil, outlines: [Outline] = []
    ) -> Image {
        let seen = classes.prefix(Self.maxClassLines).filter { Mark.twoDigits($0.confidence) != "0.00" }
        var lines = seen.enumerated().map { index, found in
            CornerLine(atTop: true, index: index, text: Mark.words(found))
        }
        if let caption { lines.append(CornerLine(atTop: false, index: 0, text: caption)) }
        // Weak ones first, so that the strong are on top.
        let marks = detections.sorted { $0.confidence < $1.confidence }.map { Mark($0) }
        return drawing(marks, lines: lines, outlines: outlines)
    }
}
