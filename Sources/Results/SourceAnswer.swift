package import Messages

/// One answer with what it answers: a frame of `source`.
package struct SourceAnswer: Sendable {
    /// The file as the user named it; `-` is standard input.
    package var source: String
    /// The name of the stream; nil for a unary call.
    package var stream: String?
    package var response: AnalyzeResponse
    /// When the frame of a live source was taken, milliseconds since 1970; nil: what it is of is not live.
    package var capturedAt: Int64?

    package init(source: String, stream: String? = nil, response: AnalyzeResponse, capturedAt: Int64? = nil) {
        self.source = source
        self.stream = stream
        self.response = response
        self.capturedAt = capturedAt
    }

    /// A frame that never left this process.
    package init(source: String, stream: String? = nil, sequence: UInt64, refused cause: String) {
        var response = AnalyzeResponse()
        response.sequence = sequence
        response.status = .error
        response.cause = cause
        self.init(source: source, stream: stream, response: response)
    }
}

extension AnswerStatus {
    /// The word in JSON and tables.
    package var word: String {
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
    package func line(stages: [String]) -> String {
        JSONText.object { json in
            json.field("source", source)
            if let stream { json.field("stream", stream) }
            if response.epoch > 0 { json.field("epoch", UInt64(response.epoch)) }
            json.field("sequence", response.sequence)
            if let capturedAt { json.field("captured_at", TimeText.rfc3339(milliseconds: capturedAt)) }
            json.fields(of: response, stages: stages)
        }
    }
}
