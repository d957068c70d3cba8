package import Messages

extension JSONText {
    /// Digits after the point: of confidences, and of pixels.
    private static let confidenceDecimals = 4
    private static let pixelDecimals = 2

    /// With its box in pixels.
    package mutating func add(_ detection: Detection) {
        object { json in
            json.field("label", detection.label)
            json.field("class_id", detection.classID)
            json.field("confidence", Double(detection.confidence), decimals: Self.confidenceDecimals)
            json.object("box") { json in
                json.field("x", Double(detection.box.x), decimals: Self.pixelDecimals)
                json.field("y", Double(detection.box.y), decimals: Self.pixelDecimals)
                json.field("width", Double(detection.box.width), decimals: Self.pixelDecimals)
                json.field("height", Double(detection.box.height), decimals: Self.pixelDecimals)
            }
            if let id = detection.trackID { json.field("track_id", id) }
            if !detection.classes.isEmpty { json.array("classes", detection.classes) { $0.add($1) } }
        }
    }

    package mutating func add(_ named: Classification) {
        object { json in
            json.field("label", named.label)
            json.field("class_id", named.classID)
            json.field("confidence", Double(named.confidence), decimals: Self.confidenceDecimals)
        }
    }
}
