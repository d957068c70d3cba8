import ArgumentParser

/// What `send` and `video` ask of frames.
struct AnalyzeArguments: ParsableArguments {
    /// The parser would name it before all else that is wrong, so it is looked for after that.
    @Option(
        name: .customLong("pipeline"),
        help: ArgumentHelp(
            "What to do with the frames, always needed: detect, classify, detect+classify, cascade, track, …",
            valueName: "pipeline"))
    var named: String?

    @Option(help: ArgumentHelp("Leave out what is less certain than this, 0 to 1. (default: the model's own)"))
    var minConfidence: Float?

    @Option(help: ArgumentHelp("Classes to name for a picture or box. (default: the pipeline's own)"))
    var topK: Int?

    @Option(help: ArgumentHelp("Give up on a frame after this many milliseconds.", valueName: "ms"))
    var frameDeadlineMs: UInt32?

    static let maxTopK = 1000

    func validate() throws {
        if let minConfidence, !(0...1).contains(minConfidence) {
            throw ValidationError("--min-confidence \(minConfidence) is not between 0 and 1")
        }
        if let topK, !(1...Self.maxTopK).contains(topK) {
            throw ValidationError("--top-k \(topK) is not between 1 and \(Self.maxTopK)")
        }
        if frameDeadlineMs == 0 { throw ValidationError("--frame-deadline-ms must be above 0") }
    }

    /// - Throws: `Fatal` if none is named.
    func pipeline() throws(Fatal) -> String {
        guard let named else {
            throw Fatal(
                "--pipeline is missing: what is to be done with the frames, such as detect (framemesh pipelines lists all)",
                status: .usage)
        }
        return named
    }

    func options() throws(Fatal) -> AnalyzeOptions {
        var options = AnalyzeOptions(pipeline: try pipeline())
        options.minConfidence = minConfidence ?? 0
        options.topK = topK ?? 0
        options.frameDeadline = frameDeadlineMs ?? 0
        return options
    }
}
