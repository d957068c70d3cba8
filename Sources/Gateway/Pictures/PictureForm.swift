import HTTPTypes

/// How the pictures of a request come, as its `Content-Type` says.
enum PictureForm: Equatable {
    /// The body is one picture; of which kind, its first bytes say.
    case one
    /// The same from a sender that says nothing of it: what `curl --data-binary` calls a form is none.
    case unnamed
    /// `multipart/form-data`, each file of it a picture.
    case parts(boundary: String)

    static let mediaTypes: Set<String> = ["image/jpeg", "image/png", "image/webp", "application/octet-stream"]

    /// - Throws: `Problem`, 415, or 400 for a form without a boundary.
    init(_ contentType: String?) throws {
        guard let contentType else {
            self = .one
            return
        }
        let parameters = PartHeader.Parameters(contentType[...])
        if Self.mediaTypes.contains(parameters.word) {
            self = .one
        } else if parameters.word == "application/x-www-form-urlencoded" {
            self = .unnamed
        } else if parameters.word == "multipart/form-data" {
            guard let boundary = parameters.values["boundary"] else {
                throw Problem(.badRequest, "the form has no boundary", field: "Content-Type")
            }
            self = .parts(boundary: boundary)
        } else {
            throw Self.unknown
        }
    }

    /// Of one picture that is a frame of a stream.
    /// - Throws: `Problem`, 415.
    static func ofFrame(_ contentType: String?) throws -> PictureForm {
        let form = try PictureForm(contentType)
        guard case .parts = form else { return form }
        throw Problem(
            .unsupportedMediaType, "a frame is the body itself, not a form (curl --data-binary @frame.jpg)",
            field: "Content-Type")
    }

    static var unknown: Problem {
        let known = mediaTypes.sorted().joined(separator: ", ")
        return Problem(
            .unsupportedMediaType, "pictures come as \(known) or multipart/form-data", field: "Content-Type")
    }
}
