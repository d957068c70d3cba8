import ArgumentParser
import NIOPosix
import RPC

struct ClientCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client", abstract: "Runs test cases against a server; exits with 0 if all pass.")

    @Option(name: .customLong("server_host"), help: "The server's host.")
    var serverHost = "localhost"

    @Option(name: .customLong("server_host_override"), help: "The name that the server is told, and that TLS checks.")
    var serverHostOverride: String?

    @Option(name: .customLong("server_port"), help: "The server's port.")
    var serverPort: Int

    @Option(
        name: .customLong("test_case"),
        help: "One, several separated by commas, or 'all': \(TestCase.all.map(\.name).joined(separator: " ")).")
    var testCase: String

    @Option(
        name: .customLong("use_tls"), help: "true: TLS, and the server's certificate is checked.")
    var useTLS = false

    @Option(
        name: .customLong("use_test_ca"), help: "gRPC's scripts give it; the authority itself is given by --ca_file.")
    var useTestCA = false

    @Option(
        name: .customLong("ca_file"),
        help: "The authorities that are trusted, PEM; without it those of the operating system.")
    var authoritiesFile: String?

    @OptionGroup var limitOptions: LimitOptions

    private func limits() throws -> ClientLimits {
        var limits = ClientLimits()
        limits.endpoint.client.connectTimeout = Self.connectTimeout
        try limitOptions.set(ClientLimits.all, in: &limits)
        return limits
    }

    private func endpoint(_ limits: ClientLimits) throws -> EndpointConfiguration {
        var endpoint = limits.endpoint
        endpoint.authority = serverHostOverride.map { "\($0):\(serverPort)" }
        guard useTLS else { return endpoint }
        endpoint.client.tls = ClientTLS(trust: authoritiesFile.map { .authorities(.file($0)) } ?? .system)
        endpoint.client.tls?.serverName = serverHostOverride
        try endpoint.client.tls?.check()
        return endpoint
    }

    private static let connectTimeout: Duration = .seconds(20)

    func validate() throws {
        if useTLS, useTestCA, authoritiesFile == nil {
            throw ValidationError("--use_test_ca needs the test authority's certificate: --ca_file")
        }
    }

    func run() async throws {
        let tests: [TestCase]
        do { tests = try TestCase.named(testCase) } catch { throw ValidationError("\(error)") }
        let limits = try limits()
        limits.process.apply()
        let host = serverHost.contains(":") && !serverHost.hasPrefix("[") ? "[\(serverHost)]" : serverHost
        let channel = try RPCChannel(
            to: "\(host):\(serverPort)", endpoint: try endpoint(limits), configuration: limits.channel,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: RPCInterop.logger)
        defer { channel.close() }
        let client = InteropClient(channel: channel)
        var hasFailed = false
        for test in tests {
            do {
                try await test.run(client)
                print("PASS \(test.name)")
            } catch {
                hasFailed = true
                print("FAIL \(test.name): \(error)")
            }
        }
        if hasFailed { throw ExitCode.failure }
    }
}
