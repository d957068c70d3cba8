import Areas
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import RPC

/// What a request says in JSON, as its body or in a parameter: one way for all of them. What is read with it throws at
/// fields that are not known (`Decoder.fields(knowing:)`).
///
///     let wanted = try await JSONDocument(of: request, in: context, limits).value(StreamRequest.self)
struct JSONDocument {
    private let bytes: Data
    /// The parameter that it came in; empty: it was the body.
    private let place: String

    /// The body's own type; what `curl -d` says by itself is as good as nothing.
    private static let mediaTypes: Set<String> = ["application/json", "application/x-www-form-urlencoded"]

    /// Takes the body.
    /// - Throws: `Problem`: 408, 413, 415.
    init(of request: Request, in context: GatewayContext, _ limits: GatewayLimits) async throws {
        if let type = request.headers[.contentType] {
            let word = PartHeader.Parameters(type[...]).word
            guard Self.mediaTypes.contains(word) || word.hasPrefix("application/") && word.hasSuffix("+json") else {
                throw Problem(.unsupportedMediaType, "the body is to be application/json", field: "Content-Type")
            }
        }
        let body = try await Upload(of: request, in: context, limit: limits.maxJSONBytes, named: "max-json-bytes")
            .collect()
        bytes = Data(body.readableBytesView)
        place = ""
    }

    /// - Parameter parameter: empty: no request brings it.
    init(_ text: String, in parameter: String) {
        bytes = Data(text.utf8)
        place = parameter
    }

    /// As it came.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// - Throws: `Problem`, 400, that names the field.
    func value<Value: Decodable>(_ type: Value.Type) throws -> Value {
        do {
            let value = try JSONDecoder().decode(type, from: bytes)
            try checkKeys()
            return value
        } catch {
            throw Problem(areas: AreaError(reading: error), under: place)
        }
    }

    private func checkKeys() throws(AreaError) {
        if let key = RepeatedKey.first(in: bytes) { throw AreaError(key, "is there twice") }
    }

    /// Zones and lines, valid ones.
    /// - Parameter frame: whose size is known; nil: it is not.
    /// - Throws: `Problem`, 400, that names the field and the limit.
    func areas(_ limits: AreaLimits, on frame: (width: Int, height: Int)? = nil) throws -> AreaSet {
        do throws(AreaError) {
            let areas = try AreaSet(json: bytes, limits: limits)
            try checkKeys()
            if let frame { try areas.validate(width: frame.width, height: frame.height) }
            return areas
        } catch {
            throw Problem(areas: error, under: place)
        }
    }
}

extension Problem {
    /// Of areas, or of any JSON.
    init(areas error: AreaError, under place: String = "") {
        let separator = place.isEmpty || error.field.isEmpty || error.field.hasPrefix("[") ? "" : "."
        let field = place + separator + error.field
        let words = field.isEmpty ? "the body" : "'\(field)'"
        self.init(
            .badRequest, "\(words) \(error.message)\(Self.hint(error))", field: field.isEmpty ? nil : field,
            limit: error.limitName.map { name in
                (name == "areas" ? name : "area-\(name)", error.limit ?? 0)
            })
    }

    /// Behind the name of what is not known.
    private static func hint(_ error: AreaError) -> String {
        guard !error.known.isEmpty else { return "" }
        let name = error.field.split(separator: ".").last.map(String.init) ?? ""
        if let near = Spelling.nearest(to: name, of: error.known) { return ", did you mean '\(near)'?" }
        return "; there are \(error.known.joined(separator: ", "))"
    }
}
