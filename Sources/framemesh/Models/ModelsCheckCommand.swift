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
              framemesh models check yolo-fastest-1.1 digits-classifier

            Exit code 0 only if every model that was checked works.
            """)

    @Flag(help: "One JSON object a line, one line a model.") var json = false
    @OptionGroup var engine: EngineOption
    @Argument(help: "Names of models.") var names: [String] = []

    func run() async throws {
        let store = try Resources.store()
        let bundled = try Resources.models
        let engine = try engine.chosen()
        var models: [ModelManifest] = []
        for name in names { models.append(try store.manifest(named: name)) }
        if names.isEmpty { models = store.models }
        let chosen = models
        try await Interrupts.run {
            let console = Console()
            var allWork = true
            for model in chosen {
                try Task.checkCancellation()
                let place = ModelPlace(model, bundled: bundled)
                if !place.isHere {
                    // One that was asked for by name should be here.
                    if !names.isEmpty { allWork = false }
                    try console.print(line(model.name, .notHere))
                    continue
                }
                let outcome = try await NIOThreadPool.singleton.runIfActive { Self.check(model, store, engine) }
                if case .broken = outcome { allWork = false }
                try console.print(line(model.name, outcome))
            }
            guard allWork else { throw Fatal(nil) }
        }
    }

    private enum Outcome: Sendable {
        case works(load: Duration, pass: Duration, layers: String)
        case broken(String)
        case notHere
    }

    private static func check(_ manifest: ModelManifest, _ store: ModelStore, _ engine: Engine) -> Outcome {
        do {
            try store.check(manifest)
            let start = ContinuousClock.now
            let model = try Model(manifest, store: store, engine: engine)
            // The first pass allocates; the second one tells how fast it is.
            try model.warmUp()
            let loaded = ContinuousClock.now
            try model.warmUp()
            return .works(load: loaded - start, pass: .now - loaded, layers: model.engineDescription)
        } catch {
            return .broken(error.message)
        }
    }

    private func line(_ name: String, _ outcome: Outcome) -> String {
        guard json else {
            switch outcome {
            case .works(let load, let pass, let layers):
                return """
                    ok      \(name)  loaded in \(Self.milliseconds(load)) ms, \
                    one pass takes \(Self.milliseconds(pass)) ms; \(layers)
                    """
            case .broken(let reason): return "broken  \(name)  \(reason.onOneLine)"
            case .notHere: return "absent  \(name)  not here; try: framemesh models pull \(name)"
            }
        }
        return JSONText.object { json in
            json.field("name", name)
            switch outcome {
            case .works(let load, let pass, let layers):
                json.field("status", "ok")
                json.field("load_ms", load / .milliseconds(1), decimals: 3)
                json.field("pass_ms", pass / .milliseconds(1), decimals: 3)
                json.field("layers", layers)
            case .broken(let reason):
                json.field("status", "broken")
                json.field("cause", reason.onOneLine)
            case .notHere: json.field("status", "absent")
            }
        }
    }

    private static func milliseconds(_ duration: Duration) -> String {
        JSONText.number(duration / .milliseconds(1), decimals: 1)
    }
}
