import Crypto
import Foundation
import Logging
import RPC
import TestSupport
import Testing

@testable import Gateway

/// Where a gateway's tokens come from.
@Suite struct TokenSourceTests {
    private static func line(_ token: String, _ name: String) -> String {
        let digest = SHA256.hash(data: Data(token.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return "token sha256:\(digest) \(name) analyze\n"
    }

    @Test func aFileIsReadAgainAndWhatItHeldStaysWhileItIsNoUse() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "tokens-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(Self.line("first", "ada").utf8).write(to: file)
        let log = LogRecorder()
        let tokens = try CredentialsFile(file.path, logger: log.logger)
        let start = ContinuousClock.now
        func names(_ seconds: Int) async -> [String?] {
            let current = await tokens.current(at: start + .seconds(seconds))
            return ["first", "second"].map { current.principal(bearing: $0)?.name }
        }
        #expect(await names(0) == ["ada", nil])
        try Data(Self.line("second", "eve").utf8).write(to: file)
        #expect(await names(1) == ["ada", nil], "not asked for yet")
        #expect(await names(6) == [nil, "eve"])
        try Data("nonsense\n".utf8).write(to: file)
        #expect(await names(12) == [nil, "eve"])
        #expect(await names(18) == [nil, "eve"])
        #expect(log.lines.count { $0.level == .error } == 1, "the same is not said twice")
        try FileManager.default.removeItem(at: file)
        #expect(await names(24) == [nil, "eve"])
        try Data(Self.line("first", "ada").utf8).write(to: file)
        #expect(await names(30) == ["ada", nil])
    }

    @Test func aTokenOfTheEnvironmentIsTaken() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tokens-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let started = try await GatewayProcess.start(
            data: folder, environment: ["FRAMEMESH_GATEWAY_TOKEN_LINES": Self.line("secret", "ada")])
        let bearer = ["Authorization": "Bearer secret"]
        #expect(try await started.gateway.get("/v1/videos").status == 401)
        #expect(try await started.gateway.get("/v1/videos", headers: bearer).status == 200)
        started.process.signal(SIGTERM)
        _ = try await started.process.finish(within: .seconds(120))
    }

    @Test func ofFileAndEnvironmentOnlyOneIsTaken() async throws {
        let process = try ChildProcess(
            Place.products.appending(path: "framemesh"),
            ["gateway", "--listen", "127.0.0.1:0", "--tokens", "/dev/null"],
            environment: ["FRAMEMESH_GATEWAY_TOKEN_LINES": Self.line("secret", "ada")])
        let ended = try await process.finish(within: .seconds(120))
        #expect(ended.code != 0 && ended.errors.contains("gateway.token-lines"), "\(ended.errors)")
    }
}
