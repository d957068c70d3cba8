import HTTPTypes
import NIOCore

/// The pictures of a multipart request, each as soon as it has come whole.
struct PictureParts {
    struct Picture: Equatable {
        var name: String?
        var bytes: ByteBuffer
    }

    private let limits: PictureLimits
    private var parser: MultipartParser
    private var current: Picture?
    private var count = 0

    /// - Throws: `Problem`, 400, where this is no boundary.
    init(boundary: String, _ limits: PictureLimits) throws {
        self.limits = limits
        do {
            parser = try MultipartParser(boundary: boundary, maxHeaderBytes: limits.maxPartHeaderBytes)
        } catch {
            throw Self.problem(error, limits)
        }
    }

    /// - Throws: `Problem`.
    mutating func take(_ bytes: ByteBuffer) throws -> [Picture] {
        parser.feed(bytes)
        var pictures: [Picture] = []
        while let event = try next() {
            switch event {
            case .part(let lines): try begin(lines)
            case .content(let bytes): try add(bytes)
            case .partEnd:
                if let current { pictures.append(current) }
                current = nil
            case .end: break
            }
        }
        return pictures
    }

    /// The body has ended.
    /// - Throws: `Problem`, 400, where that is too early.
    func finish() throws {
        guard parser.isComplete else { throw Problem(.badRequest, "the form ends before its last boundary") }
        guard count > 0 else { throw Problem(.badRequest, "the form holds no picture") }
    }

    private mutating func next() throws -> MultipartParser.Event? {
        do {
            return try parser.next()
        } catch {
            throw Self.problem(error, limits)
        }
    }

    private mutating func begin(_ lines: [String]) throws {
        guard let header = PartHeader(lines) else {
            throw Problem(.badRequest, "a part of the form has no Content-Disposition of form-data")
        }
        guard header.isFile else {
            throw Problem(
                .badRequest, "the part is no file; parameters stand in the address", field: header.field)
        }
        guard header.mediaType.isEmpty || PictureForm.mediaTypes.contains(header.mediaType) else {
            throw Problem(.unsupportedMediaType, "the part is no picture", field: header.field)
        }
        count += 1
        guard count <= limits.maxPictures else {
            throw Problem(
                .contentTooLarge, "the form has more than \(limits.maxPictures) pictures",
                limit: ("max-pictures", Double(limits.maxPictures)))
        }
        current = Picture(name: header.fileName ?? header.field, bytes: ByteBuffer())
    }

    private mutating func add(_ bytes: ByteBuffer) throws {
        guard let size = current?.bytes.readableBytes else { return }
        guard size + bytes.readableBytes <= limits.maxPictureBytes else {
            throw Upload.tooLarge("a picture of the form is larger", limits.maxPictureBytes, "max-picture-bytes")
        }
        if size == 0 { current?.bytes = bytes } else { current?.bytes.writeImmutableBuffer(bytes) }
    }

    private static func problem(_ failure: MultipartParser.Failure, _ limits: PictureLimits) -> Problem {
        switch failure.kind {
        case .malformed: Problem(.badRequest, failure.message)
        case .headerTooLarge:
            Problem(
                .badRequest, failure.message, limit: ("max-part-header-bytes", Double(limits.maxPartHeaderBytes)))
        }
    }
}
