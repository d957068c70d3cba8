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

        /// Whom a limit of it is for, and what sets it on the command line.
        private func user(of name: String) -> String {
            switch self {
            case .roles: "nodes and coordinators (--limit)"
            case .nodes: "a coordinator's connections to its nodes (--node-limit)"
            case .clients where SourceLimits.limits.contains(where: { $0.name == name }):
                "framemesh video with a URL (--limit)"
            case .clients: "commands that call a coordinator (--limit)"
            case .gateways: "framemesh gateway (--limit)"
            case .coordinators: "a gateway's connections to coordinators (--coordinator-limit)"
            case .traces: "the export of traces (--trace-limit)"
            }
        }

        /// Those that have a limit of this name.
        static func having(_ name: String) -> [LimitSection] { allCases.filter { $0.names.contains(name) } }

        /// Where a limit of this name is, in place of here; where some are of the same role, those alone.
        fileprivate func others(having name: String) -> [LimitSection] {
            let others = Self.having(name).filter { $0 != self }
            let near = others.filter { $0.role == role }
            return near.isEmpty ? others : near
        }

        private var role: Substring? { rawValue.split(separator: ".").first }

        static func objection(to name: String, for sections: [LimitSection]) -> Fatal {
            let users = sections.map { $0.user(of: name) }.joined(separator: ", and for ")
            return Fatal("the limit \(name) is for \(users)", status: .usage)
        }
    }

    /// Where a limit is that was written in a section which has none of its name; none: it is no limit anywhere.
    /// - Parameter isIt: whether a key is the one that was written.
    static func keysOfLimit(writtenAs isIt: (String) -> Bool) -> [String] {
        let names = Set(LimitSection.allCases.flatMap(\.names))
        for section in LimitSection.allCases {
            guard let name = names.first(where: { isIt(section.key($0)) }) else { continue }
            return section.others(having: name).map { $0.key(name) }
        }
        return []
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
        for flag in flags {
            let name = String(flag.prefix { $0 != "=" })
            if !section.names.contains(name) {
                let others = section.others(having: name)
                guard others.isEmpty else { throw LimitSection.objection(to: name, for: others) }
            }
            do throws(LimitError) {
                try limits.set(flag, in: &root)
            } catch {
                throw Self.objection(error.message)
            }
        }
    }

    private static func objection(_ text: String) -> Fatal {
        Fatal("\(text) (`framemesh limits` lists them)", status: .usage)
    }
}
