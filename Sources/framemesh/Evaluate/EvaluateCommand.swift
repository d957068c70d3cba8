import ArgumentParser
import Evaluation
import Results
import Vision

struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Measure how right a model is, on a data set with the truth.",
        discussion: """
            What the directory holds decides what is measured. COCO annotations (annotations.json, \
            annotations/instances_*.json) and pictures: mAP50-95, mAP50, mAP75 and average recall of a detector, as \
            pycocotools has them. A folder of pictures for each class: top-1 and top-5 of a classifier. gt/gt.txt and \
            img1/, or folders of such (MOT Challenge): MOTA, IDF1 and identity switches of a detector and the tracker, \
            as py-motmetrics has them.

            The model runs in this process. Categories and folders go by the names of the model's classes.

            Examples:
              framemesh evaluate --model yolo-fastest-1.1 --dataset coco
              framemesh evaluate --model squeezenet-1.1 --dataset imagenet/val --json
              framemesh evaluate --model yolo-fastest-1.1 --dataset MOT17/train \\
                --label person
              framemesh evaluate --dataset coco --predictions results.json
            """)

    @Option(help: ArgumentHelp("Model to run.", valueName: "name")) var model: String?
    @Option(help: ArgumentHelp("Directory of the data set.", valueName: "dir")) var dataset: String
    @Option(help: ArgumentHelp("COCO annotations, if the directory has several.", valueName: "file"))
    var annotations: String?
    @OptionGroup var engine: EngineOption
    @Option(help: ArgumentHelp("Threads, each with a net of its own (default: one a core).", valueName: "n"))
    var threads: Int?
    @Option(
        help: ArgumentHelp(
            "Least confidence of a box (default: \(Self.leastConfidence) for COCO, \(TrackingRun.leastConfidence) for MOT).",
            valueName: "0..1"))
    var minConfidence: Float?
    @Option(
        name: .customLong("label"), parsing: .singleValue,
        help: ArgumentHelp("With MOT: follow only these classes; may be repeated.", valueName: "name"))
    var labels: [String] = []
    @Option(
        help: ArgumentHelp(
            "Score these, and run no model: COCO results in JSON, or a directory of one NAME.txt for each MOT video.",
            valueName: "path"))
    var predictions: String?
    @Option(
        help: ArgumentHelp("Write what the model found, in the form that --predictions takes.", valueName: "path"))
    var output: String?
    @Flag(help: "One JSON object.") var json = false

    /// Curves of precision and recall need the weak boxes, too.
    static let leastConfidence: Float = 0.001
    static let maxThreads = 512

    func validate() throws {
        guard (model == nil) != (predictions == nil) else {
            throw ValidationError("name either --model or --predictions")
        }
        if predictions != nil {
            for (option, isGiven) in [
                ("--output", output != nil), ("--label", !labels.isEmpty), ("--min-confidence", minConfidence != nil),
                ("--threads", threads != nil), ("--engine", engine.engine != nil),
            ] where isGiven {
                throw ValidationError("\(option) is for what a --model finds, not for --predictions")
            }
        }
        if let threads, !(1...Self.maxThreads).contains(threads) {
            throw ValidationError("--threads \(threads) is not between 1 and \(Self.maxThreads)")
        }
        if let minConfidence, !(minConfidence > 0 && minConfidence <= 1) {
            throw ValidationError("--min-confidence \(minConfidence) is not above 0 and up to 1")
        }
    }

    func run() async throws {
        let dataset = try Dataset(at: dataset, annotations: annotations)
        let console = Console()
        var work: PictureWork?
        if let model {
            let store = try Resources.store()
            let manifest = try store.manifest(named: model)
            work = PictureWork(
                model: manifest, store: store, engine: try engine.chosen(),
                threads: threads ?? min(ProcessorCount.usable, Self.maxThreads), console: console)
        }
        let chosen = work
        try await Interrupts.run {
            let report: EvaluationReport
            switch dataset {
            case .objects(let annotations, let folders):
                try reject(labels.isEmpty, "--label")
                report = try await ObjectRun(
                    annotations: annotations, folders: folders, minConfidence: minConfidence ?? Self.leastConfidence
                ).report(chosen, predictions: predictions, output: output)
            case .classes(let folders):
                try reject(labels.isEmpty, "--label")
                try reject(minConfidence == nil, "--min-confidence")
                try reject(output == nil, "--output")
                guard let chosen else { throw Fatal("--predictions is for COCO and MOT data sets", status: .usage) }
                report = try await ClassRun(folders: folders).report(chosen)
            case .videos(let videos):
                report = try await TrackingRun(
                    videos: videos, minConfidence: minConfidence ?? TrackingRun.leastConfidence, labels: labels
                ).report(chosen, predictions: predictions, output: output)
            }
            try console.print(json ? report.json : report.text)
        }
    }

    private func reject(_ isFine: Bool, _ option: String) throws {
        if !isFine { throw Fatal("\(option) means nothing for this data set", status: .usage) }
    }
}
