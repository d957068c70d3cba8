public import Foundation

/// Pictures and the objects on them as COCO has them (Lin et al. 2014, https://cocodataset.org/#format-data).
public struct COCODataset: Sendable, Decodable {
    public struct Picture: Sendable, Decodable {
        public let id: Int
        /// Below the folder of the pictures.
        public let fileName: String

        enum CodingKeys: String, CodingKey {
            case id
            case fileName = "file_name"
        }
    }

    public struct Category: Sendable, Decodable {
        public let id: Int
        public let name: String
    }

    struct Object: Sendable, Decodable {
        let picture: Int
        let category: Int
        let box: COCOBox
        /// Many objects in one box: what is found there is neither right nor wrong.
        let isCrowd: Bool

        enum CodingKeys: String, CodingKey {
            case picture = "image_id"
            case category = "category_id"
            case box = "bbox"
            case isCrowd = "iscrowd"
        }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            picture = try fields.decode(Int.self, forKey: .picture)
            category = try fields.decode(Int.self, forKey: .category)
            box = try fields.decode(COCOBox.self, forKey: .box)
            isCrowd = try fields.decodeIfPresent(Int.self, forKey: .isCrowd) ?? 0 != 0
        }
    }

    public let pictures: [Picture]
    public let categories: [Category]
    let objects: [Object]
    /// True boxes, crowds left out.
    public var objectCount: Int { objects.count { !$0.isCrowd } }

    enum CodingKeys: String, CodingKey {
        case pictures = "images"
        case categories
        case objects = "annotations"
    }

    /// - Throws: `DatasetError`, with the place in the JSON.
    public init(json: Data) throws {
        self = try COCOJSON.decode(Self.self, from: json)
        try Self.requireOnce(pictures.map(\.id), "images")
        try Self.requireOnce(categories.map(\.id), "categories")
        let known = (pictures: Set(pictures.map(\.id)), categories: Set(categories.map(\.id)))
        for (index, object) in objects.enumerated() {
            guard known.pictures.contains(object.picture) else {
                throw DatasetError("annotations[\(index)]: there is no image with the id \(object.picture)")
            }
            guard known.categories.contains(object.category) else {
                throw DatasetError("annotations[\(index)]: there is no category with the id \(object.category)")
            }
        }
    }

    private static func requireOnce(_ ids: [Int], _ list: String) throws(DatasetError) {
        var seen = Set<Int>()
        for id in ids where !seen.insert(id).inserted { throw DatasetError("\(list): the id \(id) comes twice") }
    }
}

/// One object that a model found.
public struct COCOResult: Sendable, Codable {
    public let picture: Int
    public let category: Int
    public let box: COCOBox
    public let score: Double

    enum CodingKeys: String, CodingKey {
        case picture = "image_id"
        case category = "category_id"
        case box = "bbox"
        case score
    }

    public init(picture: Int, category: Int, box: COCOBox, score: Double) {
        self.picture = picture
        self.category = category
        self.box = box
        self.score = score
    }

    /// - Throws: `DatasetError`, with the place in the JSON.
    public static func list(json: Data) throws -> [COCOResult] { try COCOJSON.decode([COCOResult].self, from: json) }

    public static func json(_ results: [COCOResult]) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return try encoder.encode(results)
    }
}

/// In pixels: `[left, top, width, height]`.
public struct COCOBox: Sendable, Codable {
    /// Beyond it no picture is.
    static let maxCoordinate = 1e7

    public let left, top, width, height: Double

    public init(left: Double, top: Double, width: Double, height: Double) {
        self.left = left
        self.top = top
        self.width = width
        self.height = height
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.singleValueContainer().decode([Double].self)
        guard values.count == 4, values.allSatisfy({ abs($0) <= Self.maxCoordinate }), values[2] >= 0, values[3] >= 0
        else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "a box is left, top, width and height, up to \(Self.maxCoordinate)"))
        }
        self.init(left: values[0], top: values[1], width: values[2], height: values[3])
    }

    public func encode(to encoder: any Encoder) throws {
        var list = encoder.singleValueContainer()
        try list.encode([left, top, width, height])
    }

    var area: Double { width * height }

    /// Intersection over union; over this box's own area where the other one is a crowd.
    func overlap(with other: COCOBox, isCrowd: Bool) -> Double {
        let width = min(left + width, other.left + other.width) - max(left, other.left)
        let height = min(top + height, other.top + other.height) - max(top, other.top)
        guard width > 0, height > 0 else { return 0 }
        let both = width * height
        return both / (isCrowd ? area : area + other.area - both)
    }
}

/// JSON, with errors that say where in it.
private enum COCOJSON {
    static func decode<Value: Decodable>(_ type: Value.Type, from json: Data) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: json)
        } catch let error as DecodingError {
            throw DatasetError(Self.text(error))
        }
    }

    private static func text(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context): "\(place(context))there is no '\(key.stringValue)'"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            "\(place(context))\(context.debugDescription)"
        @unknown default: "\(error)"
        }
    }

    private static func place(_ context: DecodingError.Context) -> String {
        let path = context.codingPath.reduce(into: "") { text, key in
            text += key.intValue.map { "[\($0)]" } ?? (text.isEmpty ? key.stringValue : ".\(key.stringValue)")
        }
        return path.isEmpty ? "" : "\(path): "
    }
}
