import Client
import Gateway
import Mesh
import Playback
import RPC
import Traces

/// The limits of a role: of its server, and of its process.
struct RoleLimits: Sendable {
    var server = ServerConfiguration.cluster
    var process = ProcessLimits()

    static let all =
        ServerConfiguration.limits.map { $0.under(\RoleLimits.server) }
        + ProcessLimits.limits.map { $0.under(\RoleLimits.process) }
}

/// The limits of whoever calls a coordinator.
struct ClientLimits: Sendable {
    var client = MeshClientConfiguration()
    var process = ProcessLimits()
    /// Of a command; a gateway has its own.
    var sources = SourceLimits()

    static let ofCalls =
        MeshClientConfiguration.limits.map { $0.under(\ClientLimits.client) }
        + ProcessLimits.limits.map { $0.under(\ClientLimits.process) }
    /// Of a command.
    static let all = ofCalls + SourceLimits.limits.map { $0.under(\ClientLimits.sources) }
}

extension Settings {
    /// Where limits are in the file, each by its name: `limits.max-connections`.
    enum LimitSection: String, CaseIterable, Sendable {
        /// Of every role.
        case roles = "limits"
        /// Of a coordinator's connections to its nodes.
        case nodes = "coordinator.node-limits"
        /// Of commands that call a coordinator.
        case clients = "client.limits"
        /// Of a gateway, over HTTP.
        case gateways = "gateway.limits"
        /// Of a gateway's connections to coordinators.
        case coordinators = "gateway.coordinator-limits"
        /// Of the export of traces, of every role.
        case traces = "trace-limits"

        var names: [String] {
            switch self {
            case .roles: RoleLimits.all.map(\.name)
            case .nodes: ChannelConfiguration.limits.map(\.name)
            case .clients: ClientLimits.all.map(\.name)
            case .coordinators: ClientLimits.ofCalls.map(\.name)
            case .traces: TraceLimits.limits.map(\.name)
            case .gateways: GatewayLimits.limits.map(\.name)
            }
        }

        fileprivate func key(_ name: String) -> String { "\(rawValue).\(name)" }
    }

    /// The keys of all limits.
    static let limitKeys = LimitSection.allCases.flatMap { section in section.names.map(section.key) }

    /// Sets the limits that the file and the environment name, then those of the command line.
    /// - Parameter flags: `NAME=VALUE` each; the last of a name counts.
    /// - Throws: `Fatal` that names the limit, and the nearest one if there is none of that name.
    func set<Root>(_ limits: [Limit<Root>], of section: LimitSection, _ flags: [String], in root: inout Root)
        throws(Fatal)
    {
        for limit in limits {
            let key = section.key(limit.name)
            guard let text = string(at: key.split(separator: ".").map(String.init)) else { continue }
            do throws(LimitError) {
                try limit.set(text, in: &root)
            } catch {
                throw Self.objection("\(origin(of: key)): \(error.message)")
            }
        }
        do throws(LimitError) {
            for flag in flags { try limits.set(flag, in: &root) }
        } catch {
            throw Self.objection(error.message)
        }
    }

    private static func objection(_ text: String) -> Fatal {
        Fatal("\(text) (`framemesh limits` lists them)", status: .usage)
    }
}
