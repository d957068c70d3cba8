import ArgumentParser
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

    /// - Parameter callsSources: sources are called by their URL. Where none is, their limits are refused on the command
    ///   line; the file and the environment are for all commands.
    func limits(_ settings: Settings, callsSources: Bool = false) throws -> ClientLimits {
        var all = ClientLimits()
        try settings.set(ClientLimits.all, of: .clients, limits, in: &all)
        if !callsSources { try refuseThoseOfSources() }
        return all
    }

    /// - Throws: `Fatal` that names the first of them, and where it counts.
    func refuseThoseOfSources() throws(Fatal) {
        let ofSources = Set(SourceLimits.limits.map(\.name))
        guard let name = names.first(where: ofSources.contains) else { return }
        throw Fatal(
            "the limit \(name) is for framemesh video with a URL, and for framemesh gateway: nothing else calls sources",
            status: .usage)
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
