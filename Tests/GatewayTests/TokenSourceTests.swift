import Crypto
import Foundation
import Logging
import NIOCore
import NIOPosix
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

    /// As one on a disk that hangs: who asks waits for it, and others on the same loop do not.
    @Test(.timeLimit(.minutes(5))) func aFileThatIsSlowHoldsUpNoLoop() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "tokens-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(Self.line("first", "ada").utf8).write(to: file)
        let tokens = try CredentialsFile(file.path, logger: LogRecorder().logger)
        // Whoever opens it waits for a writer.
        try FileManager.default.removeItem(at: file)
        let made = unsafe mkfifo(file.path, 0o600)
        #expect(made == 0)
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let later = ContinuousClock.now + .seconds(60)
        let asked = Task(executorPreference: LoopExecutor(loop)) { await tokens.current(at: later) }
        var writer: Int32 = -1
        while writer < 0 {
            writer = unsafe open(file.path, O_WRONLY | O_NONBLOCK)
            if writer < 0 { try await Task.sleep(for: .milliseconds(5)) }
        }
        try await loop.submit {}.get()
        #expect(await tokens.current(at: later).principal(bearing: "first")?.name == "ada", "nobody else waits")
        try FileHandle(fileDescriptor: writer, closeOnDealloc: true)
            .write(contentsOf: Data(Self.line("second", "eve").utf8))
        #expect(await asked.value.principal(bearing: "second")?.name == "eve")
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
