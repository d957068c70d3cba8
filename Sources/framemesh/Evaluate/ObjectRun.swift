import Evaluation
import Foundation
import Messages
import Vision

/// A detector on a data set of COCO.
struct ObjectRun: Sendable {
    let annotations: String
    /// Where pictures may be.
    let folders: [String]
    let minConfidence: Float

    func report(_ work: PictureWork?, predictions: String?, output: String?) async throws -> EvaluationReport {
        let dataset = try Dataset.parsing(annotations) { try COCODataset(json: try Dataset.read(annotations)) }
        var notes: [String] = []
        let results: [COCOResult]
        if let predictions {
            results = try Dataset.parsing(predictions) { try COCOResult.list(json: try Dataset.read(predictions)) }
        } else if let work {
            // Before it takes its time: can it be written at all?
            if let output { try Dataset.checkPlace(of: output) }
            results = try await run(work, on: dataset, &notes)
            if let output { try Dataset.write(try COCOResult.json(results), to: output) }
        } else {
            results = []
        }
        let precision = AveragePrecision(results, on: dataset)
        let what = work.map { "\($0.model.name) (\($0.engine.rawValue))" } ?? "\(predictions ?? "")"
        let counts = [
            Count.of(dataset.pictures.count, "picture"), Count.of(dataset.objectCount, "object"),
            Count.of(results.count, "box found", many: "boxes found"),
        ]
        return EvaluationReport(
            summary: "\(what) on \(annotations): \(counts.joined(separator: ", "))",
            scores: [
                .init(title: "mAP50-95", key: "map50_95", value: precision.ap),
                .init(title: "mAP50", key: "map50", value: precision.ap50),
                .init(title: "mAP75", key: "map75", value: precision.ap75),
                .init(title: "AR100", key: "ar100", value: precision.averageRecall),
            ],
            rowsKey: "classes",
            rows: precision.categories.filter { $0.objects > 0 }.map { category in
                EvaluationReport.Row(
                    name: category.name,
                    scores: [
                        .init(title: "objects", key: "objects", value: Double(category.objects), isCount: true),
                        .init(title: "AP50-95", key: "ap50_95", value: category.ap),
                        .init(title: "AP50", key: "ap50", value: category.ap50),
                    ])
            }, notes: notes)
    }

    private func run(
        _ work: PictureWork, on dataset: COCODataset, _ notes: inout [String]
    ) async throws -> [COCOResult] {
        guard work.model.task == .detection else {
            throw Fatal("model \(work.model.name) is no detector, and \(annotations) has objects", status: .usage)
        }
        let known = Dictionary(dataset.categories.map { ($0.name.lowercased(), $0.id) }) { first, _ in first }
        let labels = Set(try work.labels().map { $0.lowercased() })
        let shared = labels.intersection(known.keys)
        guard !shared.isEmpty else {
            throw Fatal("\(annotations) has no category that model \(work.model.name) knows", status: .usage)
        }
        if shared.count < known.count {
            let missing = dataset.categories.map(\.name).filter { !labels.contains($0.lowercased()) }
            notes.append("the model does not know \(missing.joined(separator: ", ")): what is of these is not found")
        }
        if shared.count < labels.count {
            notes.append(
                "\(Count.of(labels.count - shared.count, "class of the model is", many: "classes of the model are")) not in the data set, and left out"
            )
        }
        var paths: [String] = []
        for picture in dataset.pictures { paths.append(try path(of: picture.fileName)) }
        let found = try await work.run(paths) { [minConfidence] model, image in
            try model.detect([ModelInput(image)], minConfidence: [minConfidence]).found.first ?? []
        }
        return zip(dataset.pictures, found).flatMap { picture, detections in
            detections.compactMap { detection in
                known[detection.label.lowercased()].map { category in
                    COCOResult(
                        picture: picture.id, category: category,
                        box: COCOBox(
                            left: Double(detection.box.x), top: Double(detection.box.y),
                            width: Double(detection.box.width), height: Double(detection.box.height)),
                        score: Double(detection.confidence))
                }
            }
        }
    }

    private func path(of name: String) throws(Fatal) -> String {
        guard let path = folders.map({ "\($0)/\(name)" }).first(where: Dataset.isFile) else {
            throw Fatal("the picture \(name) is not in \(folders.joined(separator: ", "))", status: .usage)
        }
        return path
    }
}
