import Node
import Vision

/// What a local mesh consists of: one coordinator, so many nodes, and a gateway if it is wanted.
struct MeshPlan: Sendable, Hashable {
    static let maxNodes = 64
    /// A local mesh is for this machine.
    static let host = "127.0.0.1"

    /// 0: any free port.
    var coordinatorPort = 0
    /// 0: any free port; nil: there is no gateway.
    var gatewayPort: Int?
    /// Of the gateway; nil: its own default.
    var gatewayData: String?
    var detectors = 2
    var classifiers = 1
    /// Nodes that do both.
    var both = 0
    /// nil: the node's own default.
    var detectModel: String?
    var classifyModel: String?
    /// Of each node; nil: the node's own default.
    var engine: Engine?
    /// Milliseconds that nodes wait in place of running a network; nil: they run it.
    var simulateMs: Double?
    /// Of each node; nil: the cores are shared among the nodes of a role.
    var workers: Int?
    var cores = 1
    /// Of pictures, for each node; nil: the node's own default.
    var maxPixels: Int?
    var maxSide: Int?
    /// Seconds.
    var drainTimeout = 5.0
    /// `NAME=VALUE`, of the nodes and the coordinator, and of the coordinator's connections to the nodes.
    var limits: [String] = []
    var nodeLimits: [String] = []
    /// Handed on to every part.
    var config: String?
    var dnsServer: String?
    var logLevel: String?
    var logFormat: String?
    var traceEndpoint: String?
    var traceRatio: Double?
    /// `NAME=VALUE`.
    var traceLimits: [String] = []

    /// The nodes; a coordinator comes after them, since it is told where they are.
    var nodes: [MeshPart] {
        (0..<detectors).map { MeshPart(.detector, $0 + 1) } + (0..<classifiers).map { MeshPart(.classifier, $0 + 1) }
            + (0..<both).map { MeshPart(.node, $0 + 1) }
    }

    /// - Throws: `Fatal` if there are none.
    func checkNodes() throws(Fatal) {
        guard nodes.isEmpty else { return }
        throw Fatal(
            "a mesh without nodes can do nothing: more than 0 --detectors, --classifiers or --nodes are needed "
                + "(for nodes that run elsewhere: framemesh coordinator)", status: .usage)
    }

    /// Parts of each role; none of what is not there.
    var countOfRoles: [MeshPart.Role: Int] {
        let parts = nodes + [.coordinator] + (gatewayPort == nil ? [] : [.gateway])
        return parts.reduce(into: [:]) { $0[$1.role, default: 0] += 1 }
    }

    /// The command line of a part.
    ///
    /// - Parameters:
    ///   - address: where it served before; nil: its first start.
    ///   - serving: the addresses of all parts, for those that call them.
    func arguments(of part: MeshPart, at address: String?, nodes serving: [MeshPart: String]) -> [String] {
        var arguments = [
            part.role.rawValue, "--exit-with-parent", "--plain-text", "--drain-timeout", "\(drainTimeout)",
        ]
        if let config { arguments += ["--config", config] }
        if let dnsServer { arguments += ["--dns-server", dnsServer] }
        if let logLevel { arguments += ["--log-level", logLevel] }
        if let logFormat { arguments += ["--log-format", logFormat] }
        if let traceEndpoint { arguments += ["--trace-endpoint", traceEndpoint] }
        if let traceRatio { arguments += ["--trace-ratio", "\(traceRatio)"] }
        arguments += traceLimits.flatMap { ["--trace-limit", $0] }
        switch part.role {
        case .detector:
            arguments += ["--listen", address ?? "\(Self.host):0", "--workers", "\(workersOfEach(detectors))"]
            if let detectModel { arguments += ["--model", detectModel] }
            arguments += ofNodes + limits.flatMap { ["--limit", $0] }
        case .classifier:
            arguments += ["--listen", address ?? "\(Self.host):0", "--workers", "\(workersOfEach(classifiers))"]
            if let classifyModel { arguments += ["--model", classifyModel] }
            arguments += ofNodes + limits.flatMap { ["--limit", $0] }
        case .node:
            arguments += ["--listen", address ?? "\(Self.host):0", "--workers", "\(workersOfEach(both))"]
            if detectModel != nil || classifyModel != nil {
                let models = [detectModel ?? BundledModel.detector, classifyModel ?? BundledModel.classifier]
                arguments += ["--model", models.joined(separator: ",")]
            }
            arguments += ofNodes + limits.flatMap { ["--limit", $0] }
        case .coordinator:
            arguments += ["--listen", address ?? "\(Self.host):\(coordinatorPort)"]
            arguments += ["--detectors", target(.detector, serving), "--classifiers", target(.classifier, serving)]
            arguments += ["--nodes", target(.node, serving)]
            arguments += limits.flatMap { ["--limit", $0] } + nodeLimits.flatMap { ["--node-limit", $0] }
        case .gateway:
            arguments += ["--listen", address ?? "\(Self.host):\(gatewayPort ?? 0)"]
            if let coordinator = serving[.coordinator] { arguments += ["--coordinator", coordinator] }
            if let gatewayData { arguments += ["--data", gatewayData] }
        }
        return arguments
    }

    private var ofNodes: [String] {
        let limits = [("--max-pixels", maxPixels), ("--max-side", maxSide)].flatMap { option, limit in
            limit.map { [option, "\($0)"] } ?? []
        }
        let engine = engine.map { ["--engine", $0.rawValue] } ?? []
        return engine + (simulateMs.map { ["--simulate-ms", "\($0)"] } ?? []) + limits
    }

    private func workersOfEach(_ nodes: Int) -> Int {
        workers ?? min(max(1, (cores + nodes - 1) / max(1, nodes)), NodeConfiguration.maxWorkers)
    }

    private func target(_ role: MeshPart.Role, _ serving: [MeshPart: String]) -> String {
        let addresses = nodes.filter { $0.role == role }.compactMap { serving[$0] }
        return addresses.isEmpty ? "none" : "static:///" + addresses.joined(separator: ",")
    }
}

/// One process of a local mesh.
struct MeshPart: Sendable, Hashable, CustomStringConvertible {
    /// The subcommand.
    enum Role: String, Sendable {
        case coordinator, detector, classifier, node, gateway

        /// It runs models.
        var isNode: Bool { self != .coordinator && self != .gateway }
    }

    var role: Role
    var number: Int

    init(_ role: Role, _ number: Int) {
        self.role = role
        self.number = number
    }

    static let coordinator = MeshPart(.coordinator, 1)
    static let gateway = MeshPart(.gateway, 1)

    var description: String {
        switch role {
        case .coordinator, .gateway: role.rawValue
        case .detector, .classifier, .node: "\(role.rawValue)-\(number)"
        }
    }
}
