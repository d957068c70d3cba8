import ArgumentParser
import Messages
import Results
import Vision

struct ModelsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the models that are known here.",
        discussion: """
            Examples:
              framemesh models list
              framemesh models list --json | jq -r 'select(.here).name'
            """)

    @Flag(help: "One JSON object a line, one line a model.") var json = false

    /// Names of files and folders are shown whole: what is missing is to be looked for.
    private static let maxCellWidth = 4096

    func run() async throws {
        let store = try Resources.store()
        let bundled = try Resources.models
        let console = Console()
        var table = Table("name", "task", "input>", "size>", "licence", "where", maxCellWidth: Self.maxCellWidth)
        for model in store.models {
            let place = ModelPlace(model, bundled: bundled)
            if json {
                try console.print(Self.line(model, place))
            } else {
                let input = model.description
                table.add(
                    model.name, model.task.rawValue, "\(input.inputWidth)×\(input.inputHeight)",
                    Progress.bytes(model.bytes), model.licence, place.text)
            }
        }
        if !json { try console.print(table.text) }
    }

    private static func line(_ model: ModelManifest, _ place: ModelPlace) -> String {
        JSONText.object { json in
            json.field("name", model.name)
            json.field("task", model.task.rawValue)
            json.field("input_width", model.description.inputWidth)
            json.field("input_height", model.description.inputHeight)
            json.field("bytes", model.bytes)
            json.field("licence", model.licence)
            json.field("here", place.isHere)
            json.field("bundled", place == .bundled)
            json.array("files", model.files) { json, file in
                json.object { json in
                    json.field("name", file.name)
                    json.field("bytes", file.bytes)
                    json.field("sha256", file.sha256)
                    if let url = file.url { json.field("url", url) }
                    if let path = file.path { json.field("path", path) }
                }
            }
        }
    }
}

extension ModelManifest {
    /// Of all files.
    var bytes: UInt64 { files.reduce(0) { $0 &+ UInt64(clamping: $1.bytes) } }
}
