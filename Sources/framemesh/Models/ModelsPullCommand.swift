import ArgumentParser
import Foundation
import Synchronization
import Vision

struct ModelsPullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Download the files of models, and verify them.",
        discussion: """
            Files come from the URLs of the model's manifest. A download that was interrupted goes on where it stopped. \
            A file whose size or sha256 is not that of the manifest is refused, and nothing of it is kept.

            Examples:
              framemesh models pull yolo-fastest-1.1
              XDG_DATA_HOME=/srv framemesh models pull FastestDet
            """)

    @Argument(help: "Names of models.") var names: [String]

    func validate() throws {
        if names.isEmpty { throw ValidationError("name at least one model") }
    }

    func run() async throws {
        let store = try Resources.store()
        let models = try names.map { try store.manifest(named: $0) }
        try await Interrupts.run {
            let console = Console()
            defer { console.clearProgress() }
            for model in models { try await pull(model, store, console) }
        }
    }

    private func pull(_ model: ModelManifest, _ store: ModelStore, _ console: Console) async throws {
        if (try? store.check(model)) != nil {
            try console.print("\(model.name) is here already")
            return
        }
        let puller = Puller(folder: store.pulled)
        for file in model.files where !Self.isHere(file) {
            let size = UInt64(clamping: file.bytes)
            // Made when the first number is known: what an earlier run left does not count for the rate.
            let meter = Mutex<Progress?>(nil)
            try await puller.pull(file) { received in
                console.progress {
                    meter.withLock { meter in
                        var progress = meter ?? Progress(.bytes, total: size, done: received, start: .now)
                        progress.reach(received, at: .now)
                        defer { meter = progress }
                        return "\(file.name)  \(progress.line(at: .now))"
                    }
                }
            }
            try console.print("\(file.name)  \(Progress.bytes(size))  \(store.pulled)/\(file.name)")
        }
        // Another file of that name may hide the one that was pulled.
        let after = try Resources.store()
        try after.check(try after.manifest(named: model.name))
        try console.print("\(model.name) is here now")
    }

    private static func isHere(_ file: ModelFile) -> Bool {
        guard let path = file.path else { return false }
        let there = StoredFile(path: path)
        return there.size == UInt64(clamping: file.bytes) && (try? there.sha256()) == file.sha256
    }
}
