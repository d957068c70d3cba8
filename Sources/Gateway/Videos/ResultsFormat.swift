import Messages
import Results

/// How the results of a video are written.
enum ResultsFormat: String, MediaChoice, Sendable {
    case jsonLines = "jsonl"
    case csv, mot

    var mediaType: String {
        switch self {
        case .jsonLines: "application/jsonl"
        case .csv: "text/csv"
        // MOT's files have no type of their own.
        case .mot: "text/plain"
        }
    }
}

/// Writes results, the next one in order each time.
struct ResultsWriter {
    let format: ResultsFormat
    private var mot = MOTRows()

    init(_ format: ResultsFormat) { self.format = format }

    /// What stands before the first result.
    var start: String { format == .csv ? CSVRows.header : "" }

    mutating func text(of response: AnalyzeResponse) -> String {
        switch format {
        case .jsonLines: response.frameLine + "\n"
        case .csv: CSVRows.rows(of: response)
        case .mot: mot.rows(of: response)
        }
    }
}
