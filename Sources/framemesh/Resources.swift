import Foundation
import Vision

/// The places of what comes with the program: beside the executable in a build (`.build/release`), or under
/// `PREFIX/share/framemesh` when it was installed as `PREFIX/bin/framemesh`.
enum Resources {
    /// Manifests and files of the bundled models.
    static var models: String { get throws { try folder("models") } }
    /// Pictures and a video to try things with.
    static var demo: String { get throws { try folder("demo") } }

    /// The page of the gateway, and the description of its API.
    static var page: String { get throws { try folder("Page", of: "Gateway") } }
    static var apiDescription: String { get throws { try folder("openapi.yaml", of: "Gateway") } }

    /// The executable that speaks FFmpeg.
    static var videoHelper: String {
        get throws {
            try first(
                of: [executable.deletingLastPathComponent().appending(path: "framemesh-video")], "framemesh-video")
        }
    }

    /// This program's own file.
    static let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()

    /// Bundled models, those of `FRAMEMESH_MODELS`, and pulled ones.
    static func store() throws -> ModelStore {
        let environment = ProcessInfo.processInfo.environment
        let folders = modelFolders(environment)
        do {
            return try ModelStore(bundled: models, folders: folders, pulled: pulledModels(environment))
        } catch let error as VisionError where folders.contains(where: error.message.contains) {
            throw Fatal("\(EnvironmentNames.models): \(error.message)", status: .usage)
        }
    }

    /// The folders of `FRAMEMESH_MODELS`, in order, separated by `:`.
    static func modelFolders(_ environment: [String: String]) -> [String] {
        (environment[EnvironmentNames.models] ?? "").split(separator: ":").map(String.init)
    }

    /// Where `models pull` puts files: the user's own data folder.
    static func pulledModels(_ environment: [String: String]) -> String {
        // The XDG specification has relative paths ignored.
        if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") { return "\(data)/framemesh/models" }
        let home = environment["HOME"] ?? NSHomeDirectory()
        return "\(home)/.local/share/framemesh/models"
    }

    /// Where the gateway keeps what is uploaded, and what came of it: the user's own folder for state.
    static func gatewayData(_ environment: [String: String]) -> String {
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return "\(state)/framemesh/gateway" }
        let home = environment["HOME"] ?? NSHomeDirectory()
        return "\(home)/.local/state/framemesh/gateway"
    }

    private static func folder(_ name: String, of module: String = "framemesh") throws -> String {
        let beside = executable.deletingLastPathComponent()
        return try first(
            of: [
                beside.appending(path: "framemesh_\(module).resources/\(name)"),
                beside.deletingLastPathComponent().appending(path: "share/framemesh/\(name)"),
            ], name)
    }

    private static func first(of places: [URL], _ name: String) throws -> String {
        for place in places where FileManager.default.fileExists(atPath: place.path) { return place.path }
        throw Fatal(
            "the program's own '\(name)' is missing: looked at \(places.map(\.path).joined(separator: " and "))")
    }
}
