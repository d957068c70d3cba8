import ArgumentParser
import Client
import Foundation
import Mesh
import Playback
import RPC

/// Where the coordinator is: the option, the environment, the configuration file, or the port that `framemesh up` takes.
struct CoordinatorOption: ParsableArguments {
    static let variable = EnvironmentNames.coordinator
    static let fallback = "127.0.0.1:8500"

    @Option(
        help: ArgumentHelp(
            "The coordinator; several as a:1,b:2 (default: $\(Self.variable), or \(Self.fallback)).",
            valueName: "host:port"))
    var coordinator: String?

    @OptionGroup(title: "TLS and the token") var securityOptions: ClientSecurityOptions
    @OptionGroup var limitOptions: ClientLimitOptions
    @OptionGroup var dns: DNSOption

    @Option(help: ArgumentHelp("YAML file with settings (or $FRAMEMESH_CONFIG).", valueName: "file"))
    var config: String?

    /// Where the coordinator is, how it is called, and how patient the command is with sources. Also sets the limits of the
    /// process.
    /// - Parameters:
    ///   - callsSources: the command calls sources by their URL.
    ///   - sendsStreams: it sends frames as streams, or may.
    /// - Throws: `MeshError` that names what is no target, `Fatal` that names what is wrong with the configuration.
    func place(
        callsSources: Bool = false, sendsStreams: Bool = true
    ) async throws -> (target: Target, calling: MeshClientConfiguration, sources: SourceLimits) {
        let settings = try await Settings.load(config)
        let target = try Self.target(coordinator, settings)
        let limits = try limitOptions.limits(settings, callsSources: callsSources, sendsStreams: sendsStreams)
        limits.process.apply()
        var calling = limits.client
        try settings.naming(oneOf: "client") {
            let security = try securityOptions.security(settings)
            calling.channel.client.tls = try security.clientTLS()
            calling.channel.interceptors = try security.interceptors()
        }
        calling.channel.dns.servers = try dns.servers(settings)
        return (target, calling, limits.sources)
    }

    /// How a mesh of our own is called: in plain text, whatever the configuration says of others, within the same limits. Also
    /// sets the limits of the process.
    /// - Throws: `Fatal` that names what is wrong with the configuration.
    func callingOwnMesh() async throws -> MeshClientConfiguration {
        let limits = try limitOptions.limits(try await Settings.load(config))
        limits.process.apply()
        return limits.client
    }

    /// - Parameter named: on the command line.
    static func target(
        _ named: String?, _ settings: Settings, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> Target {
        if let named { return try Target(parsing: named) }
        guard let text = environment[variable], !text.isEmpty else {
            return try settings.parsed(nil, .clientCoordinator) { try Target(parsing: $0) }
                ?? Target(parsing: fallback)
        }
        do {
            return try Target(parsing: text)
        } catch {
            throw Fatal("\(variable): \(error.message)", status: .usage)
        }
    }

    /// - Parameter sendsStreams: as `place`.
    func connect(sendsStreams: Bool) async throws -> MeshClient {
        let (target, calling, _) = try await place(sendsStreams: sendsStreams)
        return try await MeshClient.connect(to: target, calling)
    }
}
