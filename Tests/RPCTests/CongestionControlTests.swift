import Testing

@testable import RPC

@Suite struct CongestionControlTests {
    private static func server(_ name: String?) -> ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.congestionControl = name
        return configuration
    }

    private static func client(_ name: String?) -> ClientConfiguration {
        var configuration = ClientConfiguration.patient
        configuration.congestionControl = name
        return configuration
    }

    /// Every kernel has it.
    @Test func bothSidesMayChooseIt() async throws {
        let methods: [String: RPCHandler] = ["Echo": .immediate { _, payload in UnaryResponse(payload) }]
        try await Loopback.with(methods, server: Self.server("reno"), client: Self.client("reno")) { loopback in
            try await loopback.expect("hello", from: "Echo", "hello")
        }
    }

    @Test(arguments: ["warp", "", "a name that is longer than fifteen bytes"])
    func anUnknownOneIsNamedInTheError(_ name: String) async throws {
        let refused = await failure { try await Loopback.serving([:], server: Self.server(name)) { _ in } }
        #expect(refused?.message.contains("no congestion control '\(name)'") == true)
        try await Loopback.serving([:]) { server in
            let refused = await failure {
                _ = try await RPCConnection.connect(
                    to: server.address, configuration: Self.client(name), group: Loopback.group,
                    logger: Loopback.logger)
            }
            #expect(refused?.code == .unavailable)
            #expect(refused?.message.contains("no congestion control '\(name)'") == true)
        }
    }
}
