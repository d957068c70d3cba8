import HTTPTypes
import Messages
import Results

/// How the results of a video are written.
enum ResultsFormat: String, CaseIterable, Sendable {
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

    /// By the parameter `format`, else by `Accept`, of which the first of the best counts in our order.
    /// - Throws: `Problem`, 406, where nothing that is accepted can be made.
    static func chosen(_ parameter: ResultsFormat?, accept: String?) throws -> ResultsFormat {
        if let parameter { return parameter }
        let ranges = accept.map(MediaRange.list) ?? []
        if ranges.isEmpty { return .jsonLines }
        var best: (format: ResultsFormat, weight: Double)?
        for format in allCases {
            let weight = MediaRange.weight(of: format.mediaType, in: ranges)
            if weight > best?.weight ?? 0 { best = (format, weight) }
        }
        guard let best else {
            let types = allCases.map(\.mediaType).joined(separator: ", ")
            throw Problem(.notAcceptable, "what can be made is \(types)", field: "Accept")
        }
        return best.format
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
