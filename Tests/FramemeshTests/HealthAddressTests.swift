import NIOCore
import RPC
import Testing

@testable import framemesh

@Suite struct HealthAddressTests {
    @Test(arguments: [
        "127.0.0.1:8501", "[::1]:8501", "unix:/run/x.sock", "http://127.0.0.1:8080", "http://gateway",
        "https://gateway:8443",
    ])
    func addressesOfRolesAreRead(_ text: String) throws {
        #expect(try HealthAddress(text).text == text)
    }

    @Test(arguments: ["8501", "http://", "ftp://gateway", "host:port"])
    func whatIsNoAddressIsNamed(_ text: String) {
        #expect { try HealthAddress(text) } throws: {
            ($0 as? Fatal)?.status == .usage && "\($0)".contains("'\(text)'")
        }
    }

    @Test func theUsualPortsAreThoseOfTheRoles() throws {
        for address in HealthCommand.usual { _ = try HealthAddress(address) }
        #expect(HealthCommand.usual.contains(CoordinatorOption.fallback))
    }

    @Test func anAddressWhereNothingListensIsGone() async throws {
        let finding = try await Self.ask("unix:/nonexistent/socket")
        #expect(!finding.isThere && !finding.isWell)
        let gateway = try await Self.ask("http://127.0.0.1:1")
        #expect(!gateway.isThere)
    }

    private static func ask(_ text: String) async throws -> HealthFinding {
        try await HealthAddress(text).ask(HealthAddress.Question(timeout: .seconds(30)))
    }
}
