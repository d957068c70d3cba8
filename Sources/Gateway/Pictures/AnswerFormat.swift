/// What a request for the analysis of a picture gets back.
enum AnswerFormat: String, MediaChoice, Sendable {
    case json, jpeg, png

    var mediaType: String {
        switch self {
        case .json: "application/json"
        case .jpeg: "image/jpeg"
        case .png: "image/png"
        }
    }
}
