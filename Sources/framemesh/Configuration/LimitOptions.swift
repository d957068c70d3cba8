import ArgumentParser
import Client
import Gateway
import Mesh
import Playback
import RPC

/// `--limit` of a role.
struct RoleLimitOptions: ParsableArguments {
    @Option(
        name: .customLong("limit"),
        help: ArgumentHelp(
            "A limit of the server or the process, again for each; `framemesh limits` lists them.",
            valueName: "name=value"))
    var limits: [String] = []

    func limits(_ settings: Settings) throws -> RoleLimits {
        var all = RoleLimits()
        try settings.set(RoleLimits.all, of: .roles, limits, in: &all)
        return all
    }
}

/// `--node-limit` of whatever starts a coordinator.
struct NodeLimitOptions: ParsableArguments {
    @Option(
        name: .customLong("node-limit"),
        help: ArgumentHelp(
            "A limit of the coordinator's connections to its nodes, again for each.", valueName: "name=value"))
    var limits: [String] = []

    func set(in channel: inout ChannelConfiguration, _ settings: Settings) throws {
        try settings.set(ChannelConfiguration.limits, of: .nodes, limits, in: &channel)
    }
}

/// `--limit` of a command that calls a coordinator.
struct ClientLimitOptions: ParsableArguments {
    @Option(
        name: .customLong("limit"),
        help: ArgumentHelp(
            "A limit of the connection or the process, again for each; `framemesh limits` lists them.",
            valueName: "name=value"))
    var limits: [String] = []

    /// Of those on the command line.
    var names: [String] { limits.map { String($0.prefix { $0 != "=" }) } }

    /// What a command has no use for is refused on the command line; the file and the environment are for all commands.
    /// - Parameters:
    ///   - callsSources: sources are called by their URL.
    ///   - sendsStreams: frames are sent as streams, or may be.
    func limits(
        _ settings: Settings, callsSources: Bool = false, sendsStreams: Bool = true
    ) throws -> ClientLimits {
        var all = ClientLimits()
        try settings.set(ClientLimits.all, of: .clients, limits, in: &all)
        if !callsSources { try refuseThoseOfSources() }
        if !sendsStreams { try refuseThoseOfStreams() }
        return all
    }

    /// - Throws: `Fatal` that names the first of them, and where it counts.
    func refuseThoseOfSources() throws(Fatal) {
        guard let name = first(of: SourceLimits.limits.map(\.name)) else { return }
        throw Settings.LimitSection.objection(to: name, for: Settings.LimitSection.having(name))
    }

    /// - Throws: `Fatal` that names the first of them, and where it counts.
    private func refuseThoseOfStreams() throws(Fatal) {
        guard let name = first(of: MeshClientConfiguration.ofStreams.map(\.name)) else { return }
        throw Fatal("the limit \(name) is for commands that send frames as streams", status: .usage)
    }

    /// The first of the command line that is one of these.
    private func first(of names: [String]) -> String? {
        self.names.first(where: names.contains)
    }
}

/// `--limit` of whatever starts a gateway.
struct GatewayLimitOptions: ParsableArguments {
    @Option(
        name: .customLong("limit"),
        help: ArgumentHelp(
            "A limit of the gateway, again for each; `framemesh limits` lists them.", valueName: "name=value"))
    var limits: [String] = []

    func limits(_ settings: Settings) throws -> GatewayLimits {
        var all = GatewayLimits()
        try settings.set(GatewayLimits.limits, of: .gateways, limits, in: &all)
        return all
    }
}

/// `--coordinator-limit` of a gateway.
struct CoordinatorLimitOptions: ParsableArguments {
    @Option(
        name: .customLong("coordinator-limit"),
        help: ArgumentHelp(
            "A limit of the gateway's connections to coordinators, or of its process, again for each.",
            valueName: "name=value"))
    var limits: [String] = []

    func limits(_ settings: Settings) throws -> ClientLimits {
        var all = ClientLimits()
        try settings.set(ClientLimits.ofCalls, of: .coordinators, limits, in: &all)
        return all
    }
}
