/// How good the boxes of a detector are: average precision as COCO defines it, with the numbers of pycocotools
/// (`COCOeval`, bounding boxes, all sizes, up to 100 boxes for each picture and category).
///
/// A box is right where it overlaps a true one of its category that no better box has taken. Over all pictures, by falling
/// confidence, that gives precision for each recall; their mean at 101 recalls is the average precision at one overlap.
public struct AveragePrecision: Sendable {
    /// Of which AP50-95 is the mean: 0.5, 0.55 … 0.95, to the bit as numpy's `linspace` has them there.
    static let overlaps = (0..<10).map { $0 == 9 ? 0.95 : Double($0) * AveragePrecision.step + 0.5 }
    private static let step = (0.95 - 0.5) / 9
    /// 0, 0.01 … 1.
    static let recalls = (0...100).map { $0 == 100 ? 1 : Double($0) * 0.01 }
    /// Of one picture and category; the strongest count.
    public static let maxBoxes = 100
    private static let index75 = 5

    public struct Category: Sendable {
        public let name: String
        /// True boxes, crowds left out.
        public let objects: Int
        /// By overlap; nil: no true box of it.
        let precisions: [Double]?
        /// Highest recall by overlap.
        let recalls: [Double]

        /// nil: no true box of it.
        public var ap50: Double? { precisions?.first }
        /// Mean over overlaps of 0.5 to 0.95; nil: no true box of it.
        public var ap: Double? { precisions.map { Evaluation.mean($0) } }
    }

    /// In the data set's order.
    public let categories: [Category]

    /// Results for pictures or categories that the data set has not are left out.
    public init(_ results: [COCOResult], on dataset: COCODataset) {
        var truth: [Cell: [COCODataset.Object]] = [:]
        for object in dataset.objects {
            truth[Cell(picture: object.picture, category: object.category), default: []].append(object)
        }
        var found: [Cell: [COCOResult]] = [:]
        for result in results {
            found[Cell(picture: result.picture, category: result.category), default: []].append(result)
        }
        // Boxes of equal confidence count in the order of the pictures' ids, as there.
        let pictures = dataset.pictures.map(\.id).sorted()
        categories = dataset.categories.map { category in
            let cells = pictures.compactMap { picture in
                let cell = Cell(picture: picture, category: category.id)
                let objects = truth[cell] ?? []
                let boxes = found[cell] ?? []
                return objects.isEmpty && boxes.isEmpty ? nil : Matching(boxes, objects)
            }
            return Self.category(category.name, cells)
        }
    }

    private struct Cell: Hashable {
        var picture: Int
        var category: Int
    }

    /// nil: no true box at all.
    public var ap50: Double? { mean { $0.first } }
    /// nil: no true box at all.
    public var ap75: Double? { mean { $0[Self.index75] } }
    /// mAP50-95; nil: no true box at all.
    public var ap: Double? { mean { Evaluation.mean($0) } }
    /// Highest recall with up to 100 boxes a picture, mean over overlaps of 0.5 to 0.95; nil: no true box at all.
    public var averageRecall: Double? {
        let known = categories.filter { $0.precisions != nil }
        return known.isEmpty ? nil : Evaluation.mean(known.map { Evaluation.mean($0.recalls) })
    }

    private func mean(_ value: ([Double]) -> Double?) -> Double? {
        let values = categories.compactMap { $0.precisions.flatMap(value) }
        return values.isEmpty ? nil : Evaluation.mean(values)
    }

    private static func category(_ name: String, _ cells: [Matching]) -> Category {
        let objects = cells.reduce(0) { $0 + $1.objects }
        guard objects > 0 else { return Category(name: name, objects: 0, precisions: nil, recalls: []) }
        let scores = cells.flatMap(\.scores)
        let order = scores.indices.sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
        var precisions: [Double] = []
        var recalls: [Double] = []
        for overlap in overlaps.indices {
            let verdicts = cells.flatMap { $0.verdicts[overlap] }
            var right = 0
            var wrong = 0
            var curve: [(recall: Double, precision: Double)] = []
            for index in order {
                switch verdicts[index] {
                case .right: right += 1
                case .wrong: wrong += 1
                case .ignored: continue
                }
                curve.append((Double(right) / Double(objects), Double(right) / Double(right + wrong)))
            }
            precisions.append(area(under: curve))
            recalls.append(curve.last?.recall ?? 0)
        }
        return Category(name: name, objects: objects, precisions: precisions, recalls: recalls)
    }

    /// Mean over the recalls of the best precision that is had at that recall or above.
    private static func area(under curve: [(recall: Double, precision: Double)]) -> Double {
        var best = curve.map(\.precision)
        for index in best.indices.dropLast().reversed() { best[index] = max(best[index], best[index + 1]) }
        var sum = 0.0
        var index = 0
        for recall in recalls {
            while index < curve.count, curve[index].recall < recall { index += 1 }
            guard index < curve.count else { break }
            sum += best[index]
        }
        return sum / Double(recalls.count)
    }
}

/// The boxes of one category on one picture, each with what it is worth at each overlap.
private struct Matching {
    enum Verdict { case right, wrong, ignored }

    let scores: [Double]
    /// By overlap, then by box in the order of `scores`.
    let verdicts: [[Verdict]]
    /// True boxes, crowds left out.
    let objects: Int

    init(_ results: [COCOResult], _ objects: [COCODataset.Object]) {
        // True objects before crowds, as a box goes to a crowd only if no object takes it.
        let truth = objects.filter { !$0.isCrowd } + objects.filter(\.isCrowd)
        self.objects = objects.count { !$0.isCrowd }
        let boxes = results.enumerated().sorted {
            $0.element.score != $1.element.score ? $0.element.score > $1.element.score : $0.offset < $1.offset
        }.prefix(AveragePrecision.maxBoxes).map(\.element)
        scores = boxes.map(\.score)
        let overlaps = boxes.map { box in truth.map { box.box.overlap(with: $0.box, isCrowd: $0.isCrowd) } }
        verdicts = AveragePrecision.overlaps.map { Self.verdicts(overlaps, truth, from: $0) }
    }

    private static func verdicts(
        _ overlaps: [[Double]], _ truth: [COCODataset.Object], from least: Double
    ) -> [Verdict] {
        var isTaken = [Bool](repeating: false, count: truth.count)
        return overlaps.map { row in
            var best = min(least, 1 - 1e-10)
            var chosen: Int?
            for (index, object) in truth.enumerated() where !isTaken[index] || object.isCrowd {
                // Crowds come last.
                if chosen != nil, object.isCrowd, !truth[chosen ?? index].isCrowd { break }
                guard row[index] >= best else { continue }
                best = row[index]
                chosen = index
            }
            guard let chosen else { return .wrong }
            isTaken[chosen] = true
            return truth[chosen].isCrowd ? .ignored : .right
        }
    }
}

/// Of at least one value.
private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
