import ArgumentParser
import RPC

/// What `--limit` of the server sets.
struct ServerLimits: Sendable {
    var server = ServerConfiguration()
    var process = ProcessLimits()

    static let all =
        ServerConfiguration.limits.map { $0.under(\ServerLimits.server) }
        + ProcessLimits.limits.map { $0.under(\ServerLimits.process) }
}

/// What `--limit` of the client sets.
struct ClientLimits: Sendable {
    var endpoint = EndpointConfiguration()
    var channel = RPCChannelConfiguration()
    var process = ProcessLimits()

    static let all =
        EndpointConfiguration.limits.map { $0.under(\ClientLimits.endpoint) }
        + RPCChannelConfiguration.limits.map { $0.under(\ClientLimits.channel) }
        + ProcessLimits.limits.map { $0.under(\ClientLimits.process) }
}

/// `--limit NAME=VALUE`, again for each.
struct LimitOptions: ParsableArguments {
    @Option(
        name: .customLong("limit"),
        help: ArgumentHelp(
            "A limit, again for each; docs/limits.md lists them with their defaults.", valueName: "name=value"))
    var limits: [String] = []

    func set<Root>(_ table: [Limit<Root>], in root: inout Root) throws {
        do throws(LimitError) {
            for limit in limits { try table.set(limit, in: &root) }
        } catch {
            throw ValidationError(error.message)
        }
    }
}
