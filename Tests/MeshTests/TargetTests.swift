import NIOCore
import Testing

@testable import Mesh

@Suite struct TargetTests {
    private typealias HostPort = Target.HostPort

    @Test(arguments: ["127.0.0.1:8001", "dns:///127.0.0.1:8001"])
    func aBareAddressIsAName(_ text: String) throws {
        let target = try Target(parsing: text)
        #expect(target.kind == .dns(HostPort(host: "127.0.0.1", port: 8001)))
        #expect("\(target)" == "dns:///127.0.0.1:8001")
    }

    @Test func aListKeepsItsOrder() throws {
        let target = try Target(parsing: "static:///b:1,[::1]:2,a:3")
        #expect(
            target.kind
                == .fixed([HostPort(host: "b", port: 1), HostPort(host: "::1", port: 2), HostPort(host: "a", port: 3)]))
        #expect("\(target)" == "static:///b:1,[::1]:2,a:3")
    }

    @Test(arguments: [
        "", "host", "host:", ":1", "host:65536", "host:-1", "host:a", "static:///", "static:///a:1,", "static:///a",
        "dns:///", "dns://a:1", "http://a:1", "static:///a:1,,b:2",
    ])
    func othersAreRefusedInOneLineThatNamesThem(_ text: String) {
        let error = #expect(throws: MeshError.self) { try Target(parsing: text) }
        #expect(error?.message.contains("'\(text)'") == true)
        #expect(error?.message.contains("\n") == false)
    }

    @Test func aListIsBounded() {
        let list = (0..<Target.maxEndpoints + 1).map { "h:\($0)" }.joined(separator: ",")
        let error = #expect(throws: MeshError.self) { try Target(parsing: "static:///" + list) }
        #expect(error?.message == "target names 1025 endpoints, limit 1024")
    }
}

@Suite struct ResolverTests {
    @Test func addressesNeedNoNameServer() async throws {
        var resolver = Resolver(target: try Target(parsing: "static:///127.0.0.1:1,[::1]:2,127.0.0.1:1"))
        let (addresses, trouble) = await resolver.resolve()
        #expect(addresses.map(\.endpointName) == ["127.0.0.1:1", "[::1]:2"])
        #expect(trouble == nil)
    }

    @Test func namesOfTheHostAreFound() async throws {
        var resolver = Resolver(target: try Target(parsing: "localhost:7"))
        let (addresses, trouble) = await resolver.resolve()
        #expect(addresses.allSatisfy { ["127.0.0.1:7", "[::1]:7"].contains($0.endpointName) })
        #expect(!addresses.isEmpty)
        #expect(trouble == nil)
    }

    @Test func anUnknownNameIsNamed() async throws {
        var resolver = Resolver(target: try Target(parsing: "no.such.invalid:7"))
        let (addresses, trouble) = await resolver.resolve()
        #expect(addresses.isEmpty)
        #expect(trouble?.contains("no.such.invalid") == true)
    }

    @Test func oneBadNameOfAListDoesNotTakeTheOthersDown() async throws {
        var resolver = Resolver(target: try Target(parsing: "static:///no.such.invalid:7,127.0.0.1:1"))
        let (addresses, trouble) = await resolver.resolve()
        #expect(addresses.map(\.endpointName) == ["127.0.0.1:1"])
        #expect(trouble?.contains("no.such.invalid") == true)
    }

    @Test func aNameThatFailsLaterKeepsItsAddresses() async throws {
        let script = Script()
        script.set([
            try SocketAddress(ipAddress: "10.0.0.1", port: 7), try SocketAddress(ipAddress: "10.0.0.2", port: 7),
        ])
        var resolver = Resolver(target: try Target(parsing: "nodes:7"), lookUp: script.lookUp)
        _ = await resolver.resolve()
        for answer in [nil, []] as [[SocketAddress]?] {
            script.set(answer)
            let (addresses, trouble) = await resolver.resolve()
            #expect(addresses.map(\.endpointName) == ["10.0.0.1:7", "10.0.0.2:7"])
            #expect(trouble != nil)
        }
        script.set([try SocketAddress(ipAddress: "10.0.0.3", port: 7)])
        let (addresses, trouble) = await resolver.resolve()
        #expect(addresses.map(\.endpointName) == ["10.0.0.3:7"])
        #expect(trouble == nil)
    }
}
