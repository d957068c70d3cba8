package import Messages

extension JSONText {
    /// What the mesh said of a frame, from its status on; fields that don't apply are left out.
    /// - Parameter stages: of the pipeline, as the coordinator names them.
    package mutating func fields(of response: AnalyzeResponse, stages: [String]) {
        field("status", response.status.word)
        if !response.cause.isEmpty { field("cause", response.cause.onOneLine) }
        if response.width > 0, response.height > 0 {
            field("width", response.width)
            field("height", response.height)
        }
        if response.hasDetections(stages) { array("detections", response.detections) { $0.add($1) } }
        if response.hasClasses(stages) { array("classes", response.classes) { $0.add($1) } }
        if !response.timing.isEmpty {
            object("timing_ms") { json in
                for timing in response.timing {
                    json.field(timing.stage, Double(timing.microseconds) / 1000, decimals: 3)
                }
            }
        }
    }
}
