import Areas
import Foundation
import HTTPTypes
import Messages
import NIOCore

/// What somebody who wants a stream writes, as it is written.
struct StreamRequest: Decodable {
    struct Source: Decodable {
        var url: String?
        var file: String?
        var loop: Bool?
        var push: Bool?
    }

    struct Hook: Decodable {
        var url: String
        var events: [String]?
    }

    var name: String?
    var source: Source
    var pipeline: String
    var policy: String?
    var minConfidence: Double?
    var maxFPS: Double?
    var deadlineMS: Int?
    var areas: AreaSet?
    var webhooks: [Hook]?

    private enum CodingKeys: String, CodingKey {
        case name, source, pipeline, policy
        case minConfidence = "min_confidence"
        case maxFPS = "max_fps"
        case deadlineMS = "deadline_ms"
        case areas, webhooks
    }

    /// - Throws: `Problem` that names the field.
    init(json: ByteBuffer) throws {
        do {
            self = try JSONDecoder().decode(StreamRequest.self, from: Data(json.readableBytesView))
        } catch let error as DecodingError {
            throw Problem(areas: AreaError(error))
        } catch {
            throw Problem(.badRequest, "the body is not JSON", cause: error)
        }
    }
}

extension Problem {
    /// Of areas, or of any JSON.
    init(areas error: AreaError, under prefix: String = "") {
        let field = [prefix, error.field].filter { !$0.isEmpty }.joined(separator: ".")
        let words = field.isEmpty ? "the body" : "'\(field)'"
        self.init(
            .badRequest, "\(words) \(error.message)", field: field.isEmpty ? nil : field,
            limit: error.limitName.map { name in
                (name == "areas" ? name : "area-\(name)", error.limit.map { "\(Int($0))" } ?? "")
            })
    }

    init(outbound error: OutboundError, field: String) {
        self.init(error.isForbidden ? .forbidden : .badGateway, "'\(field)': \(error.message)", field: field)
    }
}
