import ArgumentParser
import Foundation
import Mesh

/// Where the coordinator is: the option, the environment, the configuration file, or the port that `framemesh up` takes.
struct CoordinatorOption: ParsableArguments {
    static let variable = EnvironmentNames.coordinator
    static let fallback = "127.0.0.1:8500"

    @Option(
        help: ArgumentHelp(
            "The coordinator; several as static:///a:1,b:2. (default: $\(Self.variable), or \(Self.fallback))",
            valueName: "host:port"))
    var coordinator: String?

    @Option(help: ArgumentHelp("YAML file with settings (or $FRAMEMESH_CONFIG).", valueName: "file"))
    var config: String?

    /// - Throws: `MeshError` that names what is no target, `Fatal` that names what is wrong with the configuration.
    func target() async throws -> Target {
        let environment = ProcessInfo.processInfo.environment[Self.variable].flatMap { $0.isEmpty ? nil : $0 }
        let configured = try await Settings.load(config).string(.clientCoordinator)
        return try Target(parsing: coordinator ?? environment ?? configured ?? Self.fallback)
    }

    func connect() async throws -> MeshClient { try await MeshClient.connect(to: try await target()) }
}
