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

    @Test func aBareListIsAFixedOne() throws {
        #expect(try Target(parsing: "b:1,[::1]:2").kind == Target(parsing: "static:///b:1,[::1]:2").kind)
        let error = #expect(throws: MeshError.self) { try Target(parsing: "dns:///a:1,b:2") }
        #expect(error?.message == "target 'dns:///a:1,b:2' names one endpoint; several are static:///a:1,b:2")
    }

    @Test func aServiceHasNoPort() throws {
        let target = try Target(parsing: "srv:///_rpc._tcp.nodes.test")
        #expect(target.kind == .srv("_rpc._tcp.nodes.test"))
        #expect("\(target)" == "srv:///_rpc._tcp.nodes.test")
    }

    @Test(arguments: ["unix:/run/x", "unix:///run/x"])
    func aSocketHasAPath(_ text: String) throws {
        #expect(try Target(parsing: text).kind == .unix("/run/x"))
    }

    @Test(arguments: [
        "", "host", "host:", ":1", "host:65536", "host:-1", "host:a", "static:///", "static:///a:1,", "static:///a",
        "dns:///", "dns://a:1", "http://a:1", "static:///a:1,,b:2", "srv:///", "srv:///a:1", "srv:///a,b", "srv://a",
        "unix:",
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
