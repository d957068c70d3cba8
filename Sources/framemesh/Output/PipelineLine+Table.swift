import Messages
import Results

extension PipelineLine {
    /// The text of a pipeline of the user's may be long.
    private static let maxCellWidth = 200

    static func table(_ lines: [PipelineLine]) -> Table {
        var table = Table(
            "pipeline", "stages", "optional", "models", "as", "now", "what comes back", maxCellWidth: maxCellWidth)
        for line in lines {
            let pipeline = line.pipeline
            let why =
                line.missing.isEmpty ? "" : ": no \(line.missing.compactMap { roles[$0] }.joined(separator: ", no "))"
            table.add(
                pipeline.name, pipeline.stages.joined(separator: ", "), line.optional.joined(separator: ", "),
                line.models.joined(separator: ", "),
                pipeline.needsStream ? "stream" : "any", line.now.rawValue + why, pipeline.text)
        }
        return table
    }
}
