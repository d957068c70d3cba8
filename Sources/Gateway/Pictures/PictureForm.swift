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
    init(_ contentType: String?) throws(Problem) {
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
        let word = contentType.map { PartHeader.Parameters($0[...]).word } ?? ""
        guard !word.hasPrefix("multipart/") else {
            throw Problem(
                .unsupportedMediaType, "a frame is the body itself, not a form (curl --data-binary @frame.jpg)",
                field: "Content-Type")
        }
        do throws(Problem) {
            return try PictureForm(contentType)
        } catch {
            throw Problem(.unsupportedMediaType, "a frame comes as \(knownTypes)", field: "Content-Type")
        }
    }

    /// Of a body that says nothing of what it is, and is no picture.
    static let noPicture = Problem(.unsupportedMediaType, "the body is no picture: no JPEG, PNG or WebP")

    private static let knownTypes = mediaTypes.sorted().joined(separator: ", ")

    private static var unknown: Problem {
        Problem(
            .unsupportedMediaType, "pictures come as \(knownTypes) or multipart/form-data", field: "Content-Type")
    }
}
