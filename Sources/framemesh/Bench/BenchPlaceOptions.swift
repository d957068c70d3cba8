import ArgumentParser
import Foundation
import NIOCore
import Node
import RPC

/// Who is measured.
struct BenchPlaceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A node by itself, in place of a coordinator.", valueName: "host:port"))
    var node: String?

    @Option(help: ArgumentHelp("A gateway, over HTTP.", valueName: "url"))
    var gateway: String?

    @Flag(help: "No mesh: threads with nets of their own do the same work.") var inProcess = false

    @Flag(help: "A mesh that is started for this, as by framemesh up.") var up = false
    @Flag(
        help: ArgumentHelp(
            "What a coordinator costs: a mesh of one node without a model is started, and the node asked directly and through it."
        ))
    var overhead = false
    @Option(help: ArgumentHelp("With --up (default: 2, with --nodes none).", valueName: "n")) var detectors: Int?
    @Option(help: ArgumentHelp("With --up (default: 1, with --nodes none).", valueName: "n")) var classifiers: Int?
    @Option(help: ArgumentHelp("With --up: nodes that do both.", valueName: "n")) var nodes: Int?
    @Option(help: ArgumentHelp("With --up or --overhead: threads of each node.", valueName: "n")) var workers: Int?

    @Option(
        help: ArgumentHelp(
            "With --up or --overhead: nodes run no network, but wait for so long and find nothing (default with --overhead: 0).",
            valueName: "ms"))
    var simulateMs: Double?

    @Option(help: ArgumentHelp("With --in-process or --up (default: \(BundledModel.detector)).", valueName: "name"))
    var detectModel: String?
    @Option(help: ArgumentHelp("With --in-process or --up (default: \(BundledModel.classifier)).", valueName: "name"))
    var classifyModel: String?
    @OptionGroup var engine: EngineOption

    /// - Parameter coordinator: `--coordinator`.
    func place(coordinator: String?) throws -> BenchPlan.Place {
        let named = [
            ("--coordinator", coordinator != nil), ("--node", node != nil), ("--gateway", gateway != nil),
            ("--in-process", inProcess), ("--up", up), ("--overhead", overhead),
        ].filter(\.1).map(\.0)
        guard named.count < 2 else {
            throw Fatal("\(named.joined(separator: " and ")) exclude each other", status: .usage)
        }
        let models = [detectModel, classifyModel, engine.engine]
        if !inProcess, !up, models.contains(where: { $0 != nil }) {
            throw Fatal(
                "--detect-model, --classify-model and --engine are for --in-process and --up; a mesh has its own",
                status: .usage)
        }
        let parts = [
            ("--detectors", detectors != nil), ("--classifiers", classifiers != nil), ("--nodes", nodes != nil),
        ]
        if overhead, parts.contains(where: \.1) {
            throw Fatal(
                "--overhead starts one node: no --detectors, --classifiers and --nodes", status: .usage)
        }
        let ofBoth = [("--workers", workers != nil), ("--simulate-ms", simulateMs != nil)]
        if !up, !overhead {
            if let option = parts.first(where: \.1)?.0 { throw Fatal("\(option) is for --up", status: .usage) }
            if let option = ofBoth.first(where: \.1)?.0 {
                throw Fatal("\(option) is for --up and --overhead", status: .usage)
            }
        }
        if inProcess { return .inProcess }
        if up || overhead { return .up }
        if let node {
            guard case .grpc(let address) = try DoctorPlace(node) else {
                throw Fatal("--node '\(node)' is not HOST:PORT or unix:PATH", status: .usage)
            }
            return .node(address)
        }
        if let gateway {
            // Paths are ours, and the token has an option.
            guard case .http(let url, _, _) = try DoctorPlace(gateway), ["", "/"].contains(url.path), url.query == nil,
                url.fragment == nil, url.user == nil
            else {
                throw Fatal(
                    "--gateway '\(gateway)' is not http://HOST:PORT or https://HOST:PORT, without a path",
                    status: .usage)
            }
            return .gateway(url)
        }
        return .coordinator
    }

    /// Of nodes without a model, in milliseconds.
    private var simulated: Double? { simulateMs ?? (overhead ? 0 : nil) }

    /// Of `--up`, or `--overhead`.
    /// - Parameter config: the file that its parts read; nil: none is named on the command line.
    func mesh(config: String? = nil) throws -> MeshPlan {
        var plan = MeshPlan()
        plan.config = config
        plan.both = nodes ?? (overhead ? 1 : 0)
        plan.detectors = detectors ?? (plan.both > 0 ? 0 : plan.detectors)
        plan.classifiers = classifiers ?? (plan.both > 0 ? 0 : plan.classifiers)
        for (name, count) in [("detectors", plan.detectors), ("classifiers", plan.classifiers), ("nodes", plan.both)]
        where !(0...MeshPlan.maxNodes).contains(count) {
            throw Fatal("--\(name) \(count) is not between 0 and \(MeshPlan.maxNodes)", status: .usage)
        }
        try plan.checkNodes()
        if let workers, !(1...NodeConfiguration.maxWorkers).contains(workers) {
            throw Fatal("--workers \(workers) is not between 1 and \(NodeConfiguration.maxWorkers)", status: .usage)
        }
        plan.workers = workers
        plan.detectModel = detectModel
        plan.classifyModel = classifyModel
        if let simulateMs = simulated {
            let most = NodeConfiguration.maxSimulatedTime / .milliseconds(1)
            guard (0...most).contains(simulateMs), engine.engine == nil else {
                throw Fatal(
                    "--simulate-ms \(simulateMs) is not between 0 and \(most), or beside --engine", status: .usage)
            }
        }
        plan.simulateMs = simulated
        plan.engine = engine.engine == nil ? nil : try engine.chosen()
        plan.cores = ProcessorCount.usable
        return plan
    }

    /// With the defaults of a mesh that is started for this.
    var record: [String: String] {
        let mesh = up || overhead ? try? mesh() : nil
        let options: [(String, String?)] = [
            ("detectors", mesh.map { "\($0.detectors)" }), ("classifiers", mesh.map { "\($0.classifiers)" }),
            ("nodes", mesh.map { "\($0.both)" }), ("simulate-ms", simulated.map { "\($0)" }),
            ("overhead", overhead ? "yes" : nil),
            ("workers", workers.map(String.init)),
            ("detect-model", detectModel), ("classify-model", classifyModel), ("engine", engine.engine),
        ]
        return Dictionary(uniqueKeysWithValues: options.compactMap { name, value in value.map { (name, $0) } })
    }
}
