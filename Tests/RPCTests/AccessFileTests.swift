import Foundation
import Testing

@testable import RPC

@Suite struct AccessFileTests {
    private func file(_ text: String) throws -> String {
        let url = FileManager.default.temporaryDirectory.appending(path: "rpc-\(UUID().uuidString)")
        try Data(text.utf8).write(to: url)
        return url.path
    }

    @Test func rulesAreReadFromText() throws {
        let rules = try AccessRules(
            text: "# what who\n\n*  known\nshop.v1.Orders\tscopes orders\nshop.v1.Orders/Delete scopes orders,admin\n"
                + "grpc.reflection.v1.ServerReflection anyone\n")
        #expect(rules[.everything] == .authenticated)
        #expect(rules[.service("shop.v1.Orders")] == .scopes(["orders"]))
        #expect(rules[.method("shop.v1.Orders", "Delete")] == .scopes(["orders", "admin"]))
        #expect(rules[.service("grpc.reflection.v1.ServerReflection")] == .open)
        #expect(rules[.service("grpc.health.v1.Health")] == .open, "as without a file")
        #expect(try AccessRules(text: "") == AccessRules())
    }

    @Test(arguments: [
        "*", "* anyone else", "* everybody", "* scopes", "* scopes ,", "* scopes a b", "a/b/c known", "a/ known",
        "/a known", "* known\n* known", "* Known", "a known scopes",
    ])
    func whatIsNoRuleIsNamedByItsLine(_ text: String) {
        #expect {
            _ = try AccessRules(text: "# first\n" + text)
        } throws: { ($0 as? RPCError)?.message.hasPrefix("line ") == true }
    }

    @Test func aRuleForWhatIsNotThereIsAnError() throws {
        let services: [any RPCService] = [HealthService()]
        var access = AccessControl(credentials: try Credentials(text: ""))
        _ = try access.interceptor(guarding: services)
        access.rules[.method("grpc.health.v1.Health", "Chek")] = .authenticated
        #expect {
            _ = try access.interceptor(guarding: services)
        } throws: {
            ($0 as? RPCError)?.message
                == "an access rule is for 'grpc.health.v1.Health/Chek', which this server does not have, did you mean 'grpc.health.v1.Health/Check'?"
        }
    }

    @Test func aFileOfRulesThatCannotBeReadIsNamed() throws {
        let path = try file("* nobody\n")
        defer { try? FileManager.default.removeItem(atPath: path) }
        for path in [path, path + "-no"] {
            #expect {
                _ = try AccessRules(contentsOf: path)
            } throws: { ($0 as? RPCError)?.message.contains(path) == true }
        }
    }

    @Test func aTokenIsOneLine() async throws {
        let path = try file("s3cret\n")
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try await TokenFile(path).token == "s3cret")
        for wrong in ["", "\n", "two words", "two\nlines", "ü", String(repeating: "x", count: 4097)] {
            try Data(wrong.utf8).write(to: URL(fileURLWithPath: path))
            #expect {
                _ = try TokenFile(path)
            } throws: {
                let message = ($0 as? RPCError)?.message ?? ""
                return message.contains(path) && (wrong.count < 3 || !message.contains(wrong))
            }
        }
    }

    @Test func aTokenIsReadAgain() async throws {
        let path = try file("old")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let token = try TokenFile(path)
        let start = ContinuousClock.now
        try Data("new".utf8).write(to: URL(fileURLWithPath: path))
        #expect(await token.token(at: start) == "old")
        #expect(await token.token(at: start + TokenFile.readInterval + .seconds(1)) == "new")
        try Data("not a token".utf8).write(to: URL(fileURLWithPath: path))
        #expect(
            await token.token(at: start + TokenFile.readInterval * 3) == "new", "what cannot be used changes nothing")
    }
}
