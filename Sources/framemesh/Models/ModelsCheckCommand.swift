import ArgumentParser
import NIOPosix
import Results
import Vision

struct ModelsCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Verify the files of models, load each, and run it once.",
        discussion: """
            Without names, all models that are here are checked.

            Each line also says what runs the layers: oneDNN, OpenCV, or OpenVINO.

            Examples:
              framemesh models check
              framemesh models check --engine opencv
              framemesh models check --batch 8 digits-classifier
              framemesh models check yolo-fastest-1.1 digits-classifier

            With --batch, each line also says whether pictures in batches of that size take less time than one by one, \
            measured on this machine: then `--max-batch-size` of a node is worth setting.

            Exit code 0 only if every model that was checked works.
            """)

    @Flag(help: "One JSON object a line, one line a model.") var json = false
    @Option(
        help: ArgumentHelp("Measure batches of so many pictures, 2 to \(Model.batchSizeLimit).", valueName: "pictures"))
    var batch: Int?
    @OptionGroup var engine: EngineOption
    @Argument(help: "Names of models.") var names: [String] = []

    func validate() throws {
        guard batch.map((2...Model.batchSizeLimit).contains) ?? true else {
            throw ValidationError("--batch must be 2 to \(Model.batchSizeLimit)")
        }
    }

    func run() async throws {
        let store = try Resources.store()
        let bundled = try Resources.models
        let engine = try engine.chosen()
        var models: [ModelManifest] = []
        for name in names { models.append(try store.manifest(named: name)) }
        if names.isEmpty { models = store.models }
        let chosen = models
        let batch = batch
        try await Interrupts.run {
            let console = Console()
            var allWork = true
            for model in chosen {
                try Task.checkCancellation()
                let place = ModelPlace(model, bundled: bundled)
                if !place.isHere {
                    // One that was asked for by name should be here.
                    if !names.isEmpty { allWork = false }
                    try console.print(line(model.name, .notHere(Self.advice(model))))
                    continue
                }
                let outcome = try await NIOThreadPool.singleton.runIfActive { Self.check(model, store, engine, batch) }
                if case .broken = outcome { allWork = false }
                try console.print(line(model.name, outcome))
            }
            guard allWork else { throw Fatal(nil) }
        }
    }

    private enum Outcome: Sendable {
        case works(load: Duration, pass: Duration, layers: String, batches: Batches)
        case broken(String)
        /// With what to do about it.
        case notHere(String)
    }

    private enum Batches: Sendable {
        case notAsked, singlesOnly
        case measured(BatchGain)
    }

    private static func check(
        _ manifest: ModelManifest, _ store: ModelStore, _ engine: Engine, _ batch: Int?
    ) -> Outcome {
        do {
            try store.check(manifest)
            let start = ContinuousClock.now
            let model = try Model(manifest, store: store, engine: engine)
            // The first pass allocates; the second one tells how fast it is.
            try model.warmUp()
            let loaded = ContinuousClock.now
            try model.warmUp()
            let pass = ContinuousClock.now - loaded
            var batches = Batches.notAsked
            if let batch {
                let batching = try Model(manifest, store: store, engine: engine, maxBatchSize: batch)
                batches = try batching.measureBatch().map(Batches.measured) ?? .singlesOnly
            }
            return .works(load: loaded - start, pass: pass, layers: model.engineDescription, batches: batches)
        } catch {
            return .broken(error.message)
        }
    }

    private func line(_ name: String, _ outcome: Outcome) -> String {
        guard json else {
            switch outcome {
            case .works(let load, let pass, let layers, let batches):
                return """
                    ok      \(name)  loaded in \(Self.milliseconds(load)) ms, \
                    one pass takes \(Self.milliseconds(pass)) ms; \(layers)\(Self.text(batches))
                    """
            case .broken(let reason): return "broken  \(name)  \(reason.onOneLine)"
            case .notHere(let advice): return "absent  \(name)  not here; \(advice)"
            }
        }
        return JSONText.object { json in
            json.field("name", name)
            switch outcome {
            case .works(let load, let pass, let layers, let batches):
                json.field("status", "ok")
                json.field("load_ms", load / .milliseconds(1), decimals: 3)
                json.field("pass_ms", pass / .milliseconds(1), decimals: 3)
                json.field("layers", layers)
                switch batches {
                case .notAsked: break
                case .singlesOnly: json.field("batch_pays", false)
                case .measured(let gain):
                    json.field("batch_size", gain.size)
                    json.field("single_ms", gain.single, decimals: 3)
                    json.field("batch_ms_per_picture", gain.batch, decimals: 3)
                    json.field("batch_pays", gain.pays)
                }
            case .broken(let reason):
                json.field("status", "broken")
                json.field("cause", reason.onOneLine)
            case .notHere: json.field("status", "absent")
            }
        }
    }

    /// How the files of a model that are not here can come here.
    static func advice(_ model: ModelManifest) -> String {
        let pull = "framemesh models pull \(model.name)"
        let missing = model.files.filter { $0.path == nil }
        let unpublished = missing.filter { $0.pullObjection != nil }
        guard let objection = unpublished.first?.pullObjection else { return "try: \(pull)" }
        let names = unpublished.map(\.name).joined(separator: ", ")
        let rest = unpublished.count < missing.count ? "; then: \(pull)" : ""
        return "put \(names) into a folder that \(EnvironmentNames.models) names (\(objection))\(rest)"
    }

    private static func text(_ batches: Batches) -> String {
        switch batches {
        case .notAsked: return ""
        case .singlesOnly: return "; runs no batches"
        case .measured(let gain):
            let together = JSONText.number(gain.batch, decimals: 3), alone = JSONText.number(gain.single, decimals: 3)
            return """
                ; in batches of \(gain.size) a picture takes \(together) ms, alone \(alone) ms: \
                a batch \(gain.pays ? "pays" : "does not pay")
                """
        }
    }

    private static func milliseconds(_ duration: Duration) -> String {
        JSONText.number(duration / .milliseconds(1), decimals: 1)
    }
}
