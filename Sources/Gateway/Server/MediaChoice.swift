import HTTPTypes

/// The forms in which an answer can be made, the preferred first.
protocol MediaChoice: CaseIterable {
    /// For example `image/jpeg`.
    var mediaType: String { get }
}

extension MediaChoice {
    /// What the request names, else by `Accept`, of which the first of the best counts in our order.
    /// - Throws: `Problem`, 406, where nothing that is accepted can be made.
    static func chosen(_ named: Self?, accept: String?) throws -> Self {
        if let named { return named }
        let ranges = accept.map(MediaRange.list) ?? []
        var best: (choice: Self, weight: Double)?
        for choice in allCases {
            let weight = ranges.isEmpty ? 1 : MediaRange.weight(of: choice.mediaType, in: ranges)
            if weight > best?.weight ?? 0 { best = (choice, weight) }
        }
        guard let best else {
            let types = allCases.map(\.mediaType).joined(separator: ", ")
            throw Problem(.notAcceptable, "what can be made is \(types)", field: "Accept")
        }
        return best.choice
    }
}
