package import Messages

extension AnalyzeResponse {
    /// A frame of a video as one JSON object: its place and time, and the fields of `framemesh video --json` behind.
    package var frameLine: String {
        JSONText.object { json in
            json.field("sequence", sequence)
            json.field("time_ms", Double(captureTime) / 1000, decimals: 3)
            if epoch > 0 { json.field("epoch", UInt64(epoch)) }
            json.fields(of: self, stages: timedStages)
        }
    }

    /// Stages that took time, as `timing` has it: those that answered.
    private var timedStages: [String] { timing.compactMap { $0.stage.split(separator: ".").first.map(String.init) } }
}
