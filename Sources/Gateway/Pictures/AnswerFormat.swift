import HTTPTypes

/// What a request for the analysis of a picture gets back.
enum AnswerFormat: String, CaseIterable, Sendable {
    case json, jpeg, png

    var mediaType: String {
        switch self {
        case .json: "application/json"
        case .jpeg: "image/jpeg"
        case .png: "image/png"
        }
    }

    /// By the parameter `format`, else by `Accept`, of which the first of the best counts in our order.
    /// - Throws: `Problem`, 406, where nothing that is accepted can be made.
    static func chosen(_ parameter: AnswerFormat?, accept: String?) throws -> AnswerFormat {
        if let parameter { return parameter }
        guard let accept else { return .json }
        let ranges = MediaRange.list(accept)
        if ranges.isEmpty { return .json }
        var best: (format: AnswerFormat, weight: Double)?
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
