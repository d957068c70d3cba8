// The server that Tests/HostileTests attacks: `hostile-target [--OPTION N]…`, options as below; and the client that it
// sends to servers that behave badly: `hostile-target --client` (HostileCaller).
// It says `port N` on standard output and serves until its standard input ends.
import Foundation
import HTTP2
import Logging
import Metrics
import NIOCore
import NIOPosix
import RPC

let tally = Tally()
MetricsSystem.bootstrap(tally)

if CommandLine.arguments.contains("--client") {
    await HostileCaller(tally: tally).run()
    exit(0)
}

func option(_ name: String) -> Int? {
    guard let place = CommandLine.arguments.firstIndex(of: name), place + 1 < CommandLine.arguments.count else {
        return nil
    }
    return Int(CommandLine.arguments[place + 1])
}

var configuration = ServerConfiguration()
if let seconds = option("--handshake-seconds") { configuration.handshakeTimeout = .seconds(seconds) }
if let limit = option("--connections") { configuration.maxConnections = limit }
if let limit = option("--handlers") { configuration.maxServerHandlers = limit }
if let resets = option("--resets") {
    (configuration.flood.resetsSent, configuration.flood.resetsReceived) = (resets, resets)
}
if let seconds = option("--upload-seconds") { configuration.slowPeers.uploadGrace = .seconds(seconds) }
if let seconds = option("--keepalive-seconds") {
    (configuration.keepalive.time, configuration.keepalive.timeout) = (.seconds(seconds), .seconds(seconds))
}
if let seconds = option("--output-seconds") { configuration.slowPeers.outputTimeout = .seconds(seconds) }
if let seconds = option("--stream-seconds") { configuration.slowPeers.streamTimeout = .seconds(seconds) }
if let bytes = option("--unsent-bytes") { configuration.maxUnsentBytes = bytes }
if let bytes = option("--server-unsent-bytes") { configuration.maxServerUnsentBytes = bytes }
configuration.attachmentIdentity = "hostile-target"

let health = HealthService()
health.set(.serving)
let budget = MemoryBudget(limit: 64 << 20)
let services: [any RPCService] = [TargetService(tally: tally, budget: budget), health]
let server = try await RPCServer.bind(
    host: "127.0.0.1", port: 0, configuration: configuration,
    services: services + (try Reflection.services(describing: services)),
    budget: budget, group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "target"))

// Not `print`: the line must leave although standard output is a pipe.
FileHandle.standardOutput.write(Data("port \(server.address.port ?? 0)\n".utf8))
Thread.detachNewThread {
    _ = FileHandle.standardInput.readDataToEndOfFile()
    server.drain()
}
try await server.run()
