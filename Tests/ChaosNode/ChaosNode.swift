import ArgumentParser
import Foundation
import Logging
import NIOPosix
import Node
import RPC
import UnixSignals
import Vision

/// A node of benchmarks/chaos: all of a real one but the forward pass.
@main
struct ChaosNode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos-node",
        abstract: "A detector or classifier that waits instead of computing.",
        discussion: "Lines on standard input change it: `delay MILLISECONDS`, `errors SHARE`. SIGTERM drains.")

    @Option var listen: String
    @Option(help: "Said in each answer.") var name: String
    @Option var role = "detector"
    @Option(help: "Folder of manifests and models.") var models: String
    @Option(help: "Milliseconds of one forward pass.") var delay: Double
    @Option var workers = 2
    @Option var queueLimit = 64
    @Option(help: "Seconds.") var drainTimeout = 30
    @Option(help: "Seconds after which a worker is lost.") var patience = 60.0
    @Option var zone = ""
    @Option(help: "The mesh it belongs to.") var cluster = ""

    func validate() throws {
        guard NodeRole(rawValue: role) != nil else { throw ValidationError("no role is called '\(role)'") }
    }

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let behaviour = Behaviour(seconds: delay / 1000)
        Self.read(behaviour)
        var logger = Logger(label: name, factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .warning
        let node = try await NodeServer.start(
            configuration(behaviour), group: MultiThreadedEventLoopGroup.singleton, logger: logger)
        Self.say("ready \(node.address)")
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                do { try await node.run() } catch is CancellationError {}
            }
            tasks.addTask { for await _ in signals { break } }
            // Whichever is first ends the other.
            try await tasks.next()
            tasks.cancelAll()
            try await tasks.waitForAll()
        }
    }

    private func configuration(_ behaviour: Behaviour) throws -> NodeConfiguration {
        let role = NodeRole(rawValue: role) ?? .detector
        let store = try ModelStore(bundled: models, folders: [], pulled: models)
        let manifest = try store.manifest(named: role == .detector ? "digits-detector" : "digits-classifier")
        var configuration = NodeConfiguration(role: role, store: store, models: [manifest])
        configuration.listen = try ServerAddress(parsing: listen)
        configuration.workers = workers
        configuration.queueLimit = queueLimit
        configuration.server.drainTimeout = .seconds(drainTimeout)
        configuration.workerPatience = .seconds(patience)
        configuration.zone = zone
        configuration.cluster = cluster
        configuration.build = "chaos-node"
        configuration.load = { [name] manifest, node in
            TimedModel(manifest: manifest, maxBatchSize: node.maxBatchSize, name: name, behaviour: behaviour)
        }
        return configuration
    }

    /// By handle, not by `readLine`: that would hold a lock of the C library which the end of the process needs.
    private static func read(_ behaviour: Behaviour) {
        Thread.detachNewThread {
            var text = ""
            while case let data = FileHandle.standardInput.availableData, !data.isEmpty {
                text += String(decoding: data, as: UTF8.self)
                var lines = text.components(separatedBy: "\n")
                text = lines.removeLast()
                for line in lines where !behaviour.obey(line) { say("unknown order: \(line)") }
            }
        }
    }

    private static func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }
}
