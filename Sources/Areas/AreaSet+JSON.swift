package import Foundation

extension AreaSet {
    /// Reads `{"zones":[{"name","points":[[x,y],…],"labels"?,"dwell_seconds"?}],"lines":[{"name","from","to","labels"?}],
    /// "normalized"?}`, and validates it.
    /// - Throws: `AreaError` that names the field; also one that is not known.
    package init(json: Data, limits: AreaLimits = AreaLimits()) throws(AreaError) {
        do {
            self = try JSONDecoder().decode(AreaSet.self, from: json)
        } catch {
            throw AreaError(reading: error)
        }
        try validate(limits)
    }

    /// As it is read.
    package var json: Data { JSONLines.data(self) }
}

extension AreaEvent {
    /// One object, on one line.
    package var json: Data { JSONLines.data(self) }
}

private enum JSONLines {
    static func data(_ value: some Encodable) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Refused are only numbers that are none, which neither areas that were validated nor events have.
        return (try? encoder.encode(value)) ?? Data("{}".utf8)
    }
}

extension AreaError {
    /// Of whatever a decoder of JSON threw.
    package init(reading error: any Error) {
        switch error {
        case let error as AreaError: self = error
        case let error as DecodingError: self.init(error)
        default: self.init("", "is not JSON")
        }
    }

    /// Says where, and what was expected there.
    private init(_ error: DecodingError) {
        switch error {
        case .keyNotFound(let key, let context):
            self.init(Self.field(context.codingPath + [key]), "is missing")
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            self.init(Self.field(context.codingPath), "is not \(Self.word(type))")
        case .dataCorrupted(let context):
            let field = Self.field(context.codingPath)
            self.init(field, field.isEmpty ? "is not JSON" : context.debugDescription)
        @unknown default: self.init("", "cannot be read")
        }
    }

    static func field(_ path: [any CodingKey]) -> String {
        path.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
    }

    private static func word(_ type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a text"
        case is Bool.Type: "true or false"
        case is any Numeric.Type: "a number"
        case is [Any].Type: "a list"
        default: "an object or list as it is described"
        }
    }
}

extension Point: Codable {
    /// `[x,y]`
    package init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        guard list.count == 2 else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "a point is a list of two numbers"))
        }
        self.init(try list.decode(Double.self), try list.decode(Double.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        try list.encode(x)
        try list.encode(y)
    }
}

extension Zone: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case name, points, labels
        case dwellSeconds = "dwell_seconds"
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.fields(knowing: CodingKeys.self)
        self.init(
            name: try fields.decode(String.self, forKey: .name),
            points: try fields.decode([Point].self, forKey: .points),
            labels: try fields.decodeIfPresent([String].self, forKey: .labels) ?? [],
            dwellSeconds: try fields.decodeIfPresent(Double.self, forKey: .dwellSeconds))
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(name, forKey: .name)
        try fields.encode(points, forKey: .points)
        try fields.encode(labels, forKey: .labels)
        try fields.encodeIfPresent(dwellSeconds, forKey: .dwellSeconds)
    }
}

extension Line: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable { case name, from, to, labels }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.fields(knowing: CodingKeys.self)
        self.init(
            name: try fields.decode(String.self, forKey: .name), from: try fields.decode(Point.self, forKey: .from),
            to: try fields.decode(Point.self, forKey: .to),
            labels: try fields.decodeIfPresent([String].self, forKey: .labels) ?? [])
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(name, forKey: .name)
        try fields.encode(from, forKey: .from)
        try fields.encode(to, forKey: .to)
        try fields.encode(labels, forKey: .labels)
    }
}

extension AreaSet: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable { case zones, lines, normalized }

    /// Does not validate.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.fields(knowing: CodingKeys.self)
        self.init(
            zones: try fields.decodeIfPresent([Zone].self, forKey: .zones) ?? [],
            lines: try fields.decodeIfPresent([Line].self, forKey: .lines) ?? [],
            normalized: try fields.decodeIfPresent(Bool.self, forKey: .normalized) ?? false)
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(zones, forKey: .zones)
        try fields.encode(lines, forKey: .lines)
        try fields.encode(normalized, forKey: .normalized)
    }
}
