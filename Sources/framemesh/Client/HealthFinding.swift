/// What one that was asked has said.
enum HealthFinding: Sendable, Equatable {
    case well(String)
    case ill(String)
    case gone(String)

    var isWell: Bool { if case .well = self { true } else { false } }
    var isThere: Bool { if case .gone = self { false } else { true } }

    var text: String {
        switch self {
        case .well(let text), .ill(let text), .gone(let text):
            text.split(whereSeparator: \.isNewline).joined(separator: " ")
        }
    }
}
