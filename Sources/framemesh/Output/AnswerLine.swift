import Messages

/// One answer with what it answers: a frame of `source`.
struct SourceAnswer: Sendable {
    /// The file as the user named it; `-` is standard input.
    var source: String
    /// The name of the stream; nil for a unary call.
    var stream: String?
    var response: AnalyzeResponse

    init(source: String, stream: String? = nil, response: AnalyzeResponse) {
        self.source = source
        self.stream = stream
        self.response = response
    }

    /// A frame that never left this process.
    init(source: String, stream: String? = nil, sequence: UInt64, refused cause: String) {
        var response = AnalyzeResponse()
        response.sequence = sequence
        response.status = .error
        response.cause = cause
        self.init(source: source, stream: stream, response: response)
    }
}

extension AnswerStatus {
    /// The word in JSON and tables.
    var word: String {
        switch self {
        case .ok: "ok"
        case .partial: "partial"
        case .dropped: "dropped"
        case .error: "error"
        }
    }
}

extension SourceAnswer {
    /// One line of `--json`. Field names and their order are part of the command's promise (README.md); fields that
    /// don't apply are left out.
    /// - Parameter stages: of the pipeline, as the coordinator names them.
    func line(stages: [String]) -> String {
        JSONText.object { json in
            json.field("source", source)
            if let stream { json.field("stream", stream) }
            if response.epoch > 0 { json.field("epoch", UInt64(response.epoch)) }
            json.field("sequence", response.sequence)
            json.field("status", response.status.word)
            if !response.cause.isEmpty { json.field("cause", response.cause.onOneLine) }
            if response.width > 0, response.height > 0 {
                json.field("width", response.width)
                json.field("height", response.height)
            }
            if hasDetections(stages) { json.array("detections", response.detections) { $0.add($1) } }
            if hasClasses(stages) { json.array("classes", response.classes) { $0.add($1) } }
            if !response.timing.isEmpty {
                json.object("timing_ms") { json in
                    for timing in response.timing {
                        json.field(timing.stage, Double(timing.microseconds) / 1000, decimals: 3)
                    }
                }
            }
        }
    }

    private var isAnswered: Bool { response.status == .ok || response.status == .partial }

    /// An empty list means that a detector looked and found nothing.
    private func hasDetections(_ stages: [String]) -> Bool {
        !response.detections.isEmpty
            || isAnswered && stages.contains("detect") && !response.missing.contains("detect")
    }

    /// Classes of the whole frame: not those of a cascade, which belong to its boxes.
    private func hasClasses(_ stages: [String]) -> Bool {
        !response.classes.isEmpty
            || isAnswered && stages.contains("classify") && !stages.contains("detect")
                && !response.missing.contains("classify")
    }
}

extension JSONText {
    /// Digits after the point: of confidences, and of pixels.
    private static let confidenceDecimals = 4
    private static let pixelDecimals = 2

    fileprivate mutating func add(_ detection: Detection) {
        object { json in
            json.field("label", detection.label)
            json.field("class_id", detection.classID)
            json.field("confidence", Double(detection.confidence), decimals: Self.confidenceDecimals)
            json.object("box") { json in
                json.field("x", Double(detection.box.x), decimals: Self.pixelDecimals)
                json.field("y", Double(detection.box.y), decimals: Self.pixelDecimals)
                json.field("width", Double(detection.box.width), decimals: Self.pixelDecimals)
                json.field("height", Double(detection.box.height), decimals: Self.pixelDecimals)
            }
            if let id = detection.trackID { json.field("track_id", id) }
            if !detection.classes.isEmpty { json.array("classes", detection.classes) { $0.add($1) } }
        }
    }

    fileprivate mutating func add(_ named: Classification) {
        object { json in
            json.field("label", named.label)
            json.field("class_id", named.classID)
            json.field("confidence", Double(named.confidence), decimals: Self.confidenceDecimals)
        }
    }
}

extension String {
    /// Errors of others, as one line.
    var onOneLine: String {
        contains(where: \.isNewline) ? split(whereSeparator: \.isNewline).joined(separator: "; ") : self
    }
}
