import ArgumentParser
import Glibc
import NIOCore
import NIOPosix
import RPC
import UnixSignals

struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server", abstract: "Serves until SIGINT or SIGTERM, then lets running calls finish.")

    @Option(help: "The port to listen on; 0: a free one, which is printed.")
    var port: Int

    @Option(help: "The address to listen on.")
    var host = "0.0.0.0"

    @Option(name: .customLong("use_tls"), help: "true: only TLS, with the two files below.")
    var useTLS = false

    @Option(name: .customLong("tls_cert_file"), help: "The server's certificate, PEM.")
    var certificateFile: String?

    @Option(name: .customLong("tls_key_file"), help: "Its private key, PEM.")
    var keyFile: String?

    @OptionGroup var limitOptions: LimitOptions

    /// Also sets the limits of the process.
    private func configuration() throws -> ServerConfiguration {
        var limits = ServerLimits()
        try limitOptions.set(ServerLimits.all, in: &limits)
        limits.process.apply()
        var configuration = limits.server
        guard useTLS else { return configuration }
        guard let certificateFile, let keyFile else {
            throw ValidationError("--use_tls needs --tls_cert_file and --tls_key_file")
        }
        let tls = ServerTLS(.files(certificates: certificateFile, privateKey: keyFile))
        try tls.check()
        configuration.tls = tls
        return configuration
    }

    func run() async throws {
        let configuration = try configuration()
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let service = TestService()
        let reflection = try Reflection.services(
            describing: [service], maxRequests: configuration.maxReflectionRequests,
            maxRequestBytes: configuration.maxReflectionRequestBytes,
            maxAnswerBytes: configuration.maxReflectionAnswerBytes)
        let server = try await RPCServer.bind(
            host: host, port: port, configuration: configuration, services: [service] + reflection,
            group: MultiThreadedEventLoopGroup.singleton, logger: RPCInterop.logger)
        print("listening on port \(server.address.port ?? port)")
        fflush(nil)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            tasks.addTask {
                for await _ in signals { return server.drain() }
            }
            // The server's end, which comes after the signal's.
            while try await tasks.next() != nil {}
        }
    }
}
