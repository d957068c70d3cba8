import HTTP2
import TestSupport
import Testing

@testable import RPC

@Suite struct LimitTableTests {
    /// Properties without a limit.
    private static func free<Root>(_ limits: [Limit<Root>], of standard: Root) -> Set<String> {
        let properties = LimitProperties(limits, of: standard)
        #expect(properties.faults.isEmpty)
        return properties.free
    }

    @Test func everyNumberOfAServerHasAName() throws {
        let free = Self.free(ServerConfiguration.limits, of: ServerConfiguration())
        // A flag of its own in each program; rights of a file, which limit nothing.
        #expect(free == ["drainTimeout", "unixSocketMode"])
    }

    @Test func everyNumberOfAClientHasAName() throws {
        let free = Self.free(ClientConfiguration.limits, of: ClientConfiguration())
        // What gRPC (A8) does not let a client go below.
        #expect(free == ["keepalive.minTime"])
    }

    @Test func everyNumberOfAChannelAndOfTheProcessHasAName() throws {
        #expect(
            Self.free(EndpointConfiguration.limits, of: EndpointConfiguration())
                == ["client.keepalive.minTime"])
        // Policies of methods are no limits of the channel.
        #expect(
            Self.free(RPCChannelConfiguration.limits, of: RPCChannelConfiguration())
                == [
                    "service.defaults.timeout", "service.defaults.maxRequestBytes",
                    "service.defaults.maxResponseBytes",
                ])
        #expect(Self.free(ProcessLimits.limits, of: ProcessLimits()).isEmpty)
    }

    @Test func whatALimitSaysItTakes() throws {
        func check<Root>(_ limits: [Limit<Root>], _ standard: Root) throws {
            #expect(Set(limits.map(\.name)).count == limits.count)
            for limit in limits {
                var copy = standard
                try limit.set(limit.value(in: standard), in: &copy)
                #expect(Numbers(standard).changes(to: Numbers(copy)).isEmpty, "\(limit.name)")
                #expect(limit.text.hasSuffix(".") && limit.text.count <= 100, "\(limit.name): \(limit.text)")
            }
        }
        try check(ServerConfiguration.limits, ServerConfiguration())
        try check(EndpointConfiguration.limits, EndpointConfiguration())
        try check(RPCChannelConfiguration.limits, RPCChannelConfiguration())
        try check(ProcessLimits.limits, ProcessLimits())
    }

    @Test func argumentsSetLimits() throws {
        var configuration = ServerConfiguration()
        for argument in [
            "max-message-bytes=64MiB", "max-connections=7", "max-connection-age=1.5h", "keepalive-time=off",
            "stream-timeout=250ms", "min-ping-interval=90", "permit-pings-without-calls=on", "max-pings=5",
        ] {
            try ServerConfiguration.limits.set(argument, in: &configuration)
        }
        #expect(configuration.maxMessageBytes == 64 << 20)
        #expect(configuration.maxConnections == 7)
        #expect(configuration.age.maxAge == .seconds(5400))
        #expect(configuration.keepalive.time == nil)
        #expect(configuration.slowPeers.streamTimeout == .milliseconds(250))
        #expect(configuration.pings.minTime == .seconds(90))
        #expect(configuration.pings.permitWithoutCalls)
        #expect(configuration.flood.pings == 5)
        try ServerConfiguration.limits.set("max-connection-age=off", in: &configuration)
        #expect(configuration.age.maxAge == nil)
    }

    @Test(arguments: [
        ("max-mesage-bytes=1", "there is no limit 'max-mesage-bytes', did you mean 'max-message-bytes'?"),
        ("nonsense=1", "there is no limit 'nonsense'"), ("", "'' is not NAME=VALUE"),
        ("max-connections", "'max-connections' is not NAME=VALUE"),
        (
            "max-connections=off",
            "'off' is no value for the limit max-connections: it takes a whole number, 1 to 2147483647"
        ),
        (
            "max-frame-bytes=16MiB",
            "'16MiB' is no value for the limit max-frame-bytes: it takes bytes, or KiB, MiB, GiB, 16KiB to 16777215"
        ),
        (
            "max-connection-age=-1",
            "'-1' is no value for the limit max-connection-age: it takes seconds, or us, ms, s, m, h, 1ms to 8760h, or off"
        ),
        (
            "permit-pings-without-calls=yes",
            "'yes' is no value for the limit permit-pings-without-calls: it takes on or off"
        ),
    ])
    func whatIsNoLimitIsSaidInOneLine(_ argument: String, _ message: String) {
        var configuration = ServerConfiguration()
        #expect {
            try ServerConfiguration.limits.set(argument, in: &configuration)
        } throws: { "\($0)" == message }
        #expect(Numbers(configuration).changes(to: Numbers(ServerConfiguration())).isEmpty)
    }

    @Test(arguments: [
        "max-connections=1.5", "max-connections=1e3", "max-connections=0x10", "max-connections=+1",
        "max-connections= 1",
        "max-connections=", "max-connections=1KiB", "max-message-bytes=1kb", "max-message-bytes=KiB",
        "max-message-bytes=0.0001MiB", "handshake-timeout=nan", "handshake-timeout=inf", "handshake-timeout=0",
        "handshake-timeout=99999999999999999999h", "handshake-timeout=1d", "max-message-bytes=1..5KiB",
    ])
    func numbersOfAnotherKindAreRefused(_ argument: String) {
        var configuration = ServerConfiguration()
        #expect(throws: LimitError.self) { try ServerConfiguration.limits.set(argument, in: &configuration) }
    }

    @Test func numbersAreWrittenInTheLargestUnitThatFits() {
        #expect(LimitUnit.bytes.text(4_194_304) == "4MiB")
        #expect(LimitUnit.bytes.text(1536) == "1536")
        #expect(LimitUnit.seconds.text(7200) == "2h")
        #expect(LimitUnit.seconds.text(90) == "90s")
        #expect(LimitUnit.seconds.text(0.25) == "250ms")
        #expect(LimitUnit.seconds.text(0.0005) == "500us")
    }

    /// docs/limits.md names every limit of RPC, and no other but those of the mesh.
    @Test func theDocumentListsEveryFlag() throws {
        let tables = try DocumentTable.all(of: "limits.md").filter { $0.heading != "Channels to several endpoints" }
        let listed = tables.flatMap { $0.words(in: "flag") }
        let names =
            ServerConfiguration.limits.map(\.name) + EndpointConfiguration.limits.map(\.name)
            + RPCChannelConfiguration.limits.map(\.name) + ProcessLimits.limits.map(\.name)
        #expect(Set(listed).subtracting(names) == ["--drain-timeout"])
        #expect(Set(names).subtracting(listed).sorted() == [])
    }

    @Test func theProcessStartsWithTheDefaults() {
        #expect(BoundedProtobuf.limits == ProtobufLimits())
        #expect(MemoryBudget.shared.limit == ProcessLimits().memoryBudgetBytes)
        #expect(BufferPool.shared.idleLimit == ProcessLimits().idleBufferBytes)
        #expect(CredentialLimits.ofProcess == ProcessLimits().credentials)
    }
}
