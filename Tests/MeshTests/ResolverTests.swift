import NIOCore
import Testing

@testable import Mesh

/// Against a DNS server of this process.
@Suite(.timeLimit(.minutes(5))) struct ResolverTests {
    // ---- what needs no server ----

    @Test func addressesNeedNoNameServer() async throws {
        var resolver = Resolver(
            target: try Target(parsing: "static:///127.0.0.1:1,[::1]:2,127.0.0.1:1"), service: Script(), keep: .zero)
        let resolution = await resolver.resolve()
        #expect(resolution.addresses.map(\.endpointName) == ["127.0.0.1:1", "[::1]:2"])
        #expect(resolution.trouble == nil)
    }

    @Test func namesOfTheHostAreFound() async throws {
        try await NameServer.with { server in
            var resolver = try server.resolver("localhost:7")
            let resolution = await resolver.resolve()
            #expect(["127.0.0.1:7", "[::1]:7"].contains(resolution.addresses.first?.endpointName))
            #expect(resolution.addresses.count == 1)
            #expect(resolution.trouble == nil)
            #expect(server.queries.isEmpty)
        }
    }

    // ---- addresses ----

    @Test func bothKindsOfAddressesAreFound() async throws {
        try await NameServer.with { server in
            server.answer(["nodes.test": [.address("10.0.0.1"), .address("10.0.0.2", ttl: 3), .address("fd00::1")]])
            var resolver = try server.resolver("dns:///nodes.test:7")
            let resolution = await resolver.resolve()
            #expect(resolution.addresses.map(\.endpointName) == ["10.0.0.1:7", "10.0.0.2:7", "[fd00::1]:7"])
            #expect(resolution.addresses.allSatisfy { $0.name?.description == "nodes.test:7" })
            #expect(resolution.addresses.first?.address.authority == "nodes.test:7")
            #expect(resolution.ttl == .seconds(3))
            #expect(resolution.trouble == nil)
        }
    }

    @Test func oneKindOfAddressesIsEnough() async throws {
        try await NameServer.with { server in
            server.answer(["six.test": [.address("fd00::1")], "four.test": [.address("10.0.0.1")]])
            var six = try server.resolver("six.test:7")
            #expect(await six.resolve().addresses.map(\.endpointName) == ["[fd00::1]:7"])
            var four = try server.resolver("four.test:7")
            let resolution = await four.resolve()
            #expect(resolution.addresses.map(\.endpointName) == ["10.0.0.1:7"])
            #expect(resolution.trouble == nil)
        }
    }

    @Test func duplicatesAreOneEndpoint() async throws {
        try await NameServer.with { server in
            server.answer(["nodes.test": [.address("10.0.0.1"), .address("10.0.0.1"), .address("10.0.0.2")]])
            var resolver = try server.resolver("static:///nodes.test:7,10.0.0.2:7,10.0.0.1:8")
            #expect(
                await resolver.resolve().addresses.map(\.endpointName) == ["10.0.0.1:7", "10.0.0.2:7", "10.0.0.1:8"])
        }
    }

    @Test func whatIsTooLongForADatagramIsAskedForAgain() async throws {
        let all = (0..<1000).map { "10.0.\($0 / 250).\($0 % 250)" }
        try await NameServer.with { server in
            server.answer(["nodes.test": all.map { .address($0) }])
            var resolver = try server.resolver("nodes.test:7")
            #expect(await resolver.resolve().addresses.map(\.endpointName) == all.map { "\($0):7" })
            #expect(server.queries.contains { $0.isTCP && $0.kind == .v4 })
        }
    }

    @Test func theNumberOfEndpointsIsBounded() async throws {
        let all = (0..<2000).map { "10.0.\($0 / 250).\($0 % 250)" }
        try await NameServer.with { server in
            var resolver = try server.resolver("nodes.test:7")
            var seen: [[String]] = []
            for records in [all, all.reversed()] {
                server.answer(["nodes.test": records.map { .address($0) }])
                seen.append(await resolver.resolve().addresses.map(\.endpointName))
            }
            #expect(seen[0].count == Target.maxEndpoints)
            #expect(seen[0] == seen[1])
            var few = try server.resolver("nodes.test:7", maxEndpoints: 10)
            #expect(await few.resolve().addresses.map(\.endpointName) == Array(seen[0].prefix(10)))
        }
    }

    @Test(arguments: [(UInt32(0), Duration.zero), (1_000_000_000, .seconds(1_000_000_000))])
    func anyTimeToLiveIsTaken(_ ttl: UInt32, _ expected: Duration) async throws {
        try await NameServer.with { server in
            server.answer(["nodes.test": [.address("10.0.0.1", ttl: ttl)]])
            var resolver = try server.resolver("nodes.test:7")
            #expect(await resolver.resolve().ttl == expected)
        }
    }

    // ---- bad answers ----

    @Test(arguments: [
        (NameServer.Answer.noName, "there is no name 'nodes.test'"),
        (.none, "'nodes.test' has no IPv4 addresses"),
        (.serverFailure, "no answer for 'nodes.test'"),
        (.code(5), "no answer for 'nodes.test'"),
    ])
    func aBadAnswerIsNamed(_ answer: NameServer.Answer, _ trouble: String) async throws {
        try await NameServer.with { server in
            server.answer { _ in answer }
            var resolver = try server.resolver("nodes.test:7")
            let resolution = await resolver.resolve()
            #expect(resolution.addresses.isEmpty)
            #expect(resolution.trouble?.contains(trouble) == true, "\(resolution.trouble ?? "none")")
            await #expect(throws: MeshError.self) {
                try await Target(parsing: "nodes.test:7").resolve(server.configuration)
            }
        }
    }

    @Test func aServerThatIsSilentCostsATimeThatHasAName() async throws {
        try await NameServer.with { server in
            server.answer { _ in .silence }
            var configuration = server.configuration
            configuration.lookUpTimeout = .milliseconds(100)
            var resolver = Resolver(
                target: try Target(parsing: "nodes.test:7"), service: DNSNameService(configuration: configuration),
                keep: .zero)
            let resolution = await resolver.resolve()
            #expect(resolution.trouble == "the DNS server did not answer for 'nodes.test' in time")
        }
    }

    /// Its stack is larger than there are addresses.
    @Test func aLookUpWithoutAThreadSaysSo() async throws {
        let service = DNSNameService(configuration: DNSConfiguration(), stackBytes: 1 << 60)
        var resolver = Resolver(target: try Target(parsing: "nodes.test:7"), service: service, keep: .zero)
        let resolution = await resolver.resolve()
        #expect(resolution.addresses.isEmpty)
        let trouble = resolution.trouble ?? "none"
        #expect(trouble.contains("cannot start the thread 'dns'"), "\(trouble)")
    }

    @Test func aLookUpThatIsCancelledEnds() async throws {
        try await NameServer.with { server in
            let asked = Gate()
            server.answer { _ in
                asked.open()
                return .silence
            }
            let resolver = try server.resolver("nodes.test:7")
            let task = Task {
                var resolver = resolver
                return await resolver.resolve()
            }
            try await asked.wait()
            task.cancel()
            // Its own times are longer than this test may take.
            #expect(await task.value.addresses.isEmpty)
        }
    }

    @Test func anAnswerThatIsNoMessageIsNoAnswer() async throws {
        try await NameServer.with { server in
            let question = DNSMessage.bytes(ofName: "nodes.test")
            server.answer { query in
                // One record is promised; there is half of one.
                .bytes(
                    [0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0] + question
                        + [0, UInt8(query.kind?.rawValue ?? 0), 0, 1, 0xC0, 12, 0])
            }
            var resolver = try server.resolver("nodes.test:7")
            #expect(await resolver.resolve().trouble?.contains("is malformed at byte") == true)
        }
    }

    @Test func badAnswersKeepTheLastGoodOnesForAWhile() async throws {
        try await NameServer.with { server in
            var resolver = try server.resolver("nodes.test:7", keep: .seconds(60))
            let start = NIODeadline.now()
            func names(after seconds: Int64) async -> [String] {
                await resolver.resolve(now: start + .seconds(seconds)).addresses.map(\.endpointName)
            }
            server.answer(["nodes.test": [.address("10.0.0.1"), .address("fd00::1")]])
            #expect(await names(after: 0) == ["10.0.0.1:7", "[fd00::1]:7"])
            for answer in [NameServer.Answer.noName, .none, .serverFailure] {
                server.answer { _ in answer }
                #expect(await names(after: 59) == ["10.0.0.1:7", "[fd00::1]:7"])
            }
            // Half of the answers are good: what they say counts, and the other half is as it was.
            server.answer { $0.kind == .v4 ? .records([.address("10.0.0.2")]) : .serverFailure }
            #expect(await names(after: 59) == ["10.0.0.2:7", "[fd00::1]:7"])
            server.answer { _ in .serverFailure }
            #expect(await names(after: 61) == ["10.0.0.2:7"])
            #expect(await names(after: 120) == [])
            server.answer(["nodes.test": [.address("10.0.0.3")]])
            #expect(await names(after: 121) == ["10.0.0.3:7"])
        }
    }

    @Test func aKindThatIsGoneIsGone() async throws {
        try await NameServer.with { server in
            var resolver = try server.resolver("nodes.test:7")
            server.answer(["nodes.test": [.address("10.0.0.1"), .address("fd00::1")]])
            #expect(await resolver.resolve().addresses.count == 2)
            server.answer(["nodes.test": [.address("fd00::1")]])
            #expect(await resolver.resolve().addresses.map(\.endpointName) == ["[fd00::1]:7"])
        }
    }

    @Test func oneBadNameOfAListDoesNotTakeTheOthersDown() async throws {
        try await NameServer.with { server in
            server.answer(["good.test": [.address("10.0.0.1")]])
            var resolver = try server.resolver("static:///bad.test:7,127.0.0.1:1,good.test:2")
            let resolution = await resolver.resolve()
            #expect(resolution.addresses.map(\.endpointName) == ["127.0.0.1:1", "10.0.0.1:2"])
            #expect(resolution.trouble == "there is no name 'bad.test'")
        }
    }

    // ---- services ----

    @Test func aServiceHasServersWithPorts() async throws {
        try await NameServer.with { server in
            server.answer([
                "_rpc._tcp.nodes.test": [.service("a.test", port: 7), .service("b.test", port: 8, ttl: 9)],
                "a.test": [.address("10.0.0.1", ttl: 20)], "b.test": [.address("10.0.0.2"), .address("fd00::2")],
            ])
            var resolver = try server.resolver("srv:///_rpc._tcp.nodes.test")
            let resolution = await resolver.resolve()
            #expect(resolution.addresses.map(\.endpointName) == ["10.0.0.1:7", "10.0.0.2:8", "[fd00::2]:8"])
            // Not what DNS calls them: that proves nothing.
            #expect(
                resolution.addresses.map { $0.name?.description } == ["nodes.test:7", "nodes.test:8", "nodes.test:8"])
            #expect(resolution.addresses.map(\.weight) == [1, 0.5, 0.5])
            #expect(resolution.ttl == .seconds(9))
            #expect(resolution.trouble == nil)
        }
    }

    @Test func prioritiesAndWeightsAreHandedOn() async throws {
        try await NameServer.with { server in
            server.answer([
                "nodes.test": [
                    .service("10.0.0.3", port: 7, priority: 2), .service("10.0.0.1", port: 7, weight: 30),
                    .service("10.0.0.2", port: 7, weight: 10), .service("10.0.0.4", port: 7),
                    // A port that there is not, and "there is no such service" (RFC 2782).
                    .service("10.0.0.5", port: 0), .service("", port: 7),
                ]
            ])
            var resolver = try server.resolver("srv:///nodes.test")
            let addresses = await resolver.resolve().addresses
            #expect(addresses.map(\.endpointName) == ["10.0.0.1:7", "10.0.0.2:7", "10.0.0.4:7", "10.0.0.3:7"])
            #expect(addresses.map(\.priority) == [0, 0, 0, 2])
            #expect(addresses.map(\.weight) == [2.25, 0.75, 0.01, 1])
        }
    }

    @Test func aServiceOfManyHostsIsAskedForAtOnceAndWhole() async throws {
        let hosts = (0..<300).map { "node-\($0).test" }
        var names = Dictionary(
            uniqueKeysWithValues: hosts.enumerated().map {
                ($0.1, [NameServer.Record.address("10.0.\($0.0 / 250).\($0.0 % 250)")])
            })
        names["nodes.test"] = hosts.map { .service($0, port: 7) }
        try await NameServer.with { server in
            server.answer(names)
            var resolver = try server.resolver("srv:///nodes.test")
            let resolution = await resolver.resolve()
            #expect(resolution.addresses.count == 300)
            #expect(resolution.trouble == nil)
        }
    }

    @Test func aServiceThatIsGoneKeepsItsServersForAWhile() async throws {
        try await NameServer.with { server in
            var resolver = try server.resolver("srv:///nodes.test", keep: .seconds(60))
            let start = NIODeadline.now()
            server.answer(["nodes.test": [.service("a.test", port: 7)], "a.test": [.address("10.0.0.1")]])
            #expect(await resolver.resolve(now: start).addresses.count == 1)
            // Its servers' names are gone with it.
            server.answer { _ in .noName }
            let resolution = await resolver.resolve(now: start + .seconds(59))
            #expect(resolution.addresses.map(\.endpointName) == ["10.0.0.1:7"])
            #expect(resolution.trouble == "there is no name 'nodes.test'")
            #expect(await resolver.resolve(now: start + .seconds(61)).addresses.isEmpty)
        }
    }
}
