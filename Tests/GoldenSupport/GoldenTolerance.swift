public import Messages

/// How near to what is right an answer has to be.
public struct GoldenTolerance: Sendable {
    var score: Float
    var overlap: Float

    public static let usual = GoldenTolerance(score: 0.03, overlap: 0.90)
    /// A quarter of the colours' samples, numbers from 16 to 235 in place of 0 to 255, and no odd last row or column.
    /// With these pictures scores differ by up to 0.07 and boxes overlap by 0.82 and more, and among weak boxes of one
    /// object another one wins.
    private static let planes = GoldenTolerance(score: 0.12, overlap: 0.80)
    /// One picture has a class by 0.14 less sure.
    private static let classesOfPlanes = GoldenTolerance(score: 0.15, overlap: 0)

    /// Of boxes on a picture that came in this form.
    public static func boxes(_ form: Encoding) -> GoldenTolerance { losesColours(form) ? planes : usual }

    /// Of the classes of such a picture.
    public static func classes(_ form: Encoding) -> GoldenTolerance { losesColours(form) ? classesOfPlanes : usual }

    private static func losesColours(_ form: Encoding) -> Bool { form == .nv12 || form == .i420 }

    /// What speaks against `found`: it should be all of `wanted` and no others, but for boxes that are about as sure as the
    /// least.
    public func objections(to found: [Detection], wanted: [Detection], least: Float) -> [String] {
        var left = found
        var objections: [String] = []
        for expected in wanted {
            if let index = match(expected, in: left) {
                left.remove(at: index)
            } else if abs(expected.confidence - least) > score {
                objections.append("\(expected.label) \(expected.confidence) is missing")
            }
        }
        for extra in left where abs(extra.confidence - least) > score {
            objections.append("extra \(extra.label) \(extra.confidence)")
        }
        return objections
    }

    /// One of `found`'s indices for `wanted`, where there is one.
    private func match(_ wanted: Detection, in found: [Detection]) -> Int? {
        found.indices.filter {
            found[$0].classID == wanted.classID && found[$0].label == wanted.label
                && abs(found[$0].confidence - wanted.confidence) <= score && found[$0].box.iou(wanted.box) >= overlap
        }.max { found[$0].box.iou(wanted.box) < found[$1].box.iou(wanted.box) }
    }

    /// What speaks against `classes`, best first: those that are hardly sure may change places, the best one may not.
    public func objections(to classes: [Classification], wanted: [Classification]) -> [String] {
        guard classes.count == wanted.count, let best = classes.first, let expected = wanted.first else {
            return ["\(classes.count) classes, not \(wanted.count)"]
        }
        var objections: [String] = []
        if best.classID != expected.classID || best.label != expected.label {
            objections.append("\(best.label), not \(expected.label)")
        }
        for (found, right) in zip(classes, wanted) where abs(found.confidence - right.confidence) > score {
            objections.append("\(found.label) \(found.confidence), not \(right.label) \(right.confidence)")
        }
        return objections
    }
}
