import Messages

@testable import Areas

/// Hand-made answers: 25 frames a second of 640×480 pixels, boxes of 20×40 whose lower middle stands where it is said.
struct Walk {
    static let frameMicroseconds: Int64 = 40_000

    var watch: AreaWatch
    var sequence: UInt64 = 0
    var width = 640
    var height = 480

    init(_ areas: AreaSet, rules: AreaRules = AreaRules()) { watch = AreaWatch(areas, rules: rules) }

    /// One frame.
    mutating func see(
        _ objects: [(id: UInt64?, x: Float, y: Float)], label: String = "person", epoch: UInt32 = 0,
        _ change: (inout AnalyzeResponse) -> Void = { _ in }
    ) -> [AreaEvent] {
        var response = AnalyzeResponse()
        response.sequence = sequence
        response.captureTime = Int64(sequence) * Self.frameMicroseconds
        response.width = width
        response.height = height
        response.epoch = epoch
        response.detections = objects.map { Self.detection($0.id, $0.x, $0.y, label: label) }
        change(&response)
        sequence += 1
        return watch.see(response)
    }

    static func detection(_ id: UInt64?, _ x: Float, _ y: Float, label: String = "person") -> Detection {
        Detection(
            classID: 0, label: label, confidence: 0.9, box: Box(x: x - 10, y: y - 40, width: 20, height: 40),
            trackID: id)
    }

    /// One track on its way, one frame a place.
    mutating func walk(_ places: [(x: Float, y: Float)], id: UInt64 = 1) -> [AreaEvent] {
        places.flatMap { place in see([(id, place.x, place.y)]) }
    }

    /// Frames in which nobody is seen.
    mutating func nobody(for seconds: Double) -> [AreaEvent] {
        (0..<Int(seconds * 25)).flatMap { _ in see([]) }
    }
}

extension [AreaEvent] {
    /// Kinds, without counts.
    var kinds: [AreaEvent.Kind] { map(\.kind).filter { $0 != .count } }
    var counts: [Int] { filter { $0.kind == .count }.compactMap(\.count) }
}

extension Zone {
    /// 100 to 200, both ways.
    static func square(_ name: String = "door", labels: [String] = [], dwellSeconds: Double? = nil) -> Zone {
        Zone(
            name: name, points: [Point(100, 100), Point(200, 100), Point(200, 200), Point(100, 200)], labels: labels,
            dwellSeconds: dwellSeconds)
    }
}
