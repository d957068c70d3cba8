import Evaluation
import Messages
import Vision

/// A classifier on folders of pictures, one for each class.
struct ClassRun: Sendable {
    let folders: [Dataset.ClassFolder]

    func report(_ work: PictureWork) async throws -> EvaluationReport {
        guard work.model.task == .classification else {
            throw Fatal(
                "model \(work.model.name) is no classifier, and the data set is folders of classes", status: .usage)
        }
        let numbers = try FolderClasses(labels: try work.labels()).numbers(of: folders.map(\.name))
        var pictures: [(path: String, folder: Int)] = []
        for (index, folder) in folders.enumerated() {
            for source in try PictureSource.discover([folder.path]) { pictures.append((source.name, index)) }
        }
        let found = try await work.run(pictures.map(\.path)) { model, image in
            try model.classify([ModelInput(image)], topK: [TopAccuracy.depth]).found.first?.map(\.classID) ?? []
        }
        var all = TopAccuracy()
        var each = folders.map { _ in TopAccuracy() }
        for (picture, ranked) in zip(pictures, found) {
            all.add(truth: numbers[picture.folder], ranked: ranked)
            each[picture.folder].add(truth: numbers[picture.folder], ranked: ranked)
        }
        return EvaluationReport(
            summary: """
                \(work.model.name) (\(work.engine.rawValue)): \(Count.of(all.pictures, "picture")), \
                \(Count.of(folders.count, "class", many: "classes"))
                """,
            scores: Self.scores(all), rowsKey: "classes",
            rows: zip(folders, each).map { folder, accuracy in
                let count = EvaluationReport.Score(
                    title: "pictures", key: "pictures", value: Double(accuracy.pictures), isCount: true)
                return EvaluationReport.Row(name: folder.name, scores: [count] + Self.scores(accuracy))
            })
    }

    private static func scores(_ accuracy: TopAccuracy) -> [EvaluationReport.Score] {
        [
            .init(title: "top-1", key: "top1", value: accuracy.top1),
            .init(title: "top-5", key: "top5", value: accuracy.top5),
        ]
    }
}

/// Which class of a model a folder stands for.
struct FolderClasses: Sendable {
    let labels: [String]

    /// By the class's label, the first of its names ("tench, Tinca tinca"), or its number. Where there is a folder for each
    /// class and all are WordNet ids (n01440764), their order is that of the classes, as ImageNet has it.
    /// - Throws: `Fatal` that names a folder which is none of these.
    func numbers(of folders: [String]) throws(Fatal) -> [Int] {
        if folders.count == labels.count, folders.allSatisfy(Self.isWordNetID) {
            let rank = Dictionary(uniqueKeysWithValues: folders.sorted().enumerated().map { ($1, $0) })
            return folders.map { rank[$0] ?? 0 }
        }
        var byName: [String: Int?] = [:]
        for (number, label) in labels.enumerated() {
            let first = label.split(separator: ",").first.map(String.init) ?? label
            for name in Set([label.lowercased(), first.lowercased()]) {
                // nil: two classes have it.
                byName[name] = byName[name] == nil ? .some(number) : .some(nil)
            }
        }
        var numbers: [Int] = []
        for folder in folders {
            switch byName[folder.lowercased()] {
            case .some(.some(let number)): numbers.append(number)
            case .some(.none):
                throw Fatal("two classes are called '\(folder)'; name the folder by the class's number", status: .usage)
            case .none:
                guard let number = Int(folder), labels.indices.contains(number) else {
                    throw Fatal(
                        """
                        the folder '\(folder)' is no class of the model, by name or number; its classes are \
                        \(labels.prefix(5).joined(separator: ", ")) …
                        """, status: .usage)
                }
                numbers.append(number)
            }
        }
        return numbers
    }

    private static func isWordNetID(_ name: String) -> Bool {
        name.count == 9 && name.hasPrefix("n") && name.dropFirst().allSatisfy(\.isNumber)
    }
}
