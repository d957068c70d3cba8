package import Messages

extension AnalyzeResponse {
    /// There is a result, if only a partial one.
    package var isAnswered: Bool { status == .ok || status == .partial }

    /// Whether there is a list of boxes: an empty one means that a detector looked and found nothing.
    package func hasDetections(_ stages: [String]) -> Bool {
        !detections.isEmpty
            || isAnswered && stages.contains("detect") && !missing.contains("detect")
    }

    /// Whether there is a list of classes of the whole frame: not those of a cascade, which belong to its boxes.
    package func hasClasses(_ stages: [String]) -> Bool {
        !classes.isEmpty
            || isAnswered && stages.contains("classify") && !stages.contains("detect")
                && !missing.contains("classify")
    }
}
