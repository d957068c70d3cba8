import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Vision
@testable import framemesh

/// Real downloads from a server on this machine.
@Suite(.serialized) struct PullerTests {
    /// A file server with a file of random bytes, and an empty folder to pull into.
    private final class Server: Sendable {
        static let bytes = 3_000_000

        let folder: URL
        let content: Data
        let port: Int
        private let scheme: String
        private let process: Mutex<Process>

        /// - Parameter certificates: with `server`; nil: plain HTTP.
        init(_ certificates: CertificateFolder? = nil) throws {
            scheme = certificates == nil ? "http" : "https"
            folder = FileManager.default.temporaryDirectory.appending(path: "framemesh-pull-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            // Of no pattern that a shifted or repeated piece would fit.
            content = Data((0..<Self.bytes).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) })
            let file = folder.appending(path: "served")
            try content.write(to: file)
            let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "file_server.py")
            let process = Process()
            let pipe = Pipe()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments =
                ["python3", script.path, file.path]
                + (certificates.map { [$0.path("server.crt"), $0.path("server.key")] } ?? [])
            process.standardOutput = pipe
            process.standardError = FileHandle.nullDevice
            try process.run()
            var line = ""
            while !line.contains("\n") {
                let data = pipe.fileHandleForReading.availableData
                guard !data.isEmpty else { throw Fatal("the file server did not start") }
                line += String(decoding: data, as: UTF8.self)
            }
            // What it says later is not read; it is far less than a pipe holds.
            port = Int(line.split(separator: "\n")[0]) ?? 0
            self.process = Mutex(process)
        }

        deinit {
            process.withLock { process in
                // Not SIGTERM: what a task starts inherits blocked signals from the thread it happens to run on.
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
            }
            try? FileManager.default.removeItem(at: folder)
        }

        var pulled: String { folder.appending(path: "pulled").path }

        func file(_ kind: String, sha256: String? = nil, bytes: Int = Server.bytes) -> ModelFile {
            ModelFile(
                name: "model.bin", bytes: bytes,
                sha256: sha256 ?? (try? StoredFile(path: folder.appending(path: "served").path).sha256()) ?? "",
                url: "\(scheme)://127.0.0.1:\(port)/\(kind)/model.bin", path: nil)
        }

        func pull(_ file: ModelFile) async throws -> [UInt64] {
            let seen = Mutex<[UInt64]>([])
            try await Puller(folder: pulled).pull(file) { count in seen.withLock { $0.append(count) } }
            return seen.withLock { $0 }
        }

        func leave(part: Data) throws {
            try FileManager.default.createDirectory(atPath: pulled, withIntermediateDirectories: true)
            try part.write(to: URL(fileURLWithPath: pulled + "/model.bin.part"))
        }

        var kept: Data? { FileManager.default.contents(atPath: pulled + "/model.bin") }
        var left: [String] { (try? FileManager.default.contentsOfDirectory(atPath: pulled)) ?? [] }
    }

    @Test(arguments: ["ranges", "whole", "cut", "busy"]) func theFileIsKeptWhole(_ kind: String) async throws {
        let server = try Server()
        let progress = try await server.pull(server.file(kind))
        #expect(server.kept == server.content)
        #expect(server.left == ["model.bin"])
        #expect(progress.first == 0 && progress.last == UInt64(Server.bytes))
    }

    @Test(arguments: ["ranges", "whole"]) func aPartIsContinuedOrStartedOver(_ kind: String) async throws {
        let server = try Server()
        try server.leave(part: server.content.prefix(1_000_000))
        let progress = try await server.pull(server.file(kind))
        #expect(server.kept == server.content)
        #expect(progress.first == 1_000_000)
    }

    @Test func aWrongDigestIsRefusedAndNothingIsKept() async throws {
        let server = try Server()
        let wrong = server.file("ranges", sha256: String(repeating: "0", count: 64))
        let error = await #expect(throws: Fatal.self) { try await server.pull(wrong) }
        #expect(error?.description.contains("sha256") == true && error?.description.contains("model.bin") == true)
        #expect(server.left.isEmpty)
    }

    @Test func aPartWithWrongBytesIsRefusedAndTheNextPullSucceeds() async throws {
        let server = try Server()
        try server.leave(part: Data(repeating: 7, count: 500_000))
        await #expect(throws: Fatal.self) { try await server.pull(server.file("ranges")) }
        #expect(server.left.isEmpty)
        _ = try await server.pull(server.file("ranges"))
        #expect(server.kept == server.content)
    }

    @Test func moreBytesThanTheManifestSaysAreRefused() async throws {
        let server = try Server()
        let error = await #expect(throws: Fatal.self) { try await server.pull(server.file("long")) }
        #expect(error?.description.contains("\(Server.bytes)") == true)
        #expect(server.left.isEmpty)
    }

    @Test func aFileThatIsNotThereIsNamed() async throws {
        let server = try Server()
        let error = await #expect(throws: Fatal.self) { try await server.pull(server.file("nowhere")) }
        #expect(error?.description.contains("404") == true && error?.description.contains("model.bin") == true)
    }

    @Test func aServerThatIsNotTrustedIsNotAskedAgain() async throws {
        let certificates = try CertificateFolder()
        try await certificates.makeAuthority("stranger")
        try await certificates.makeCertificate("server", by: "stranger", alternatives: "IP:127.0.0.1")
        let server = try Server(certificates)
        let error = await #expect(throws: Fatal.self) { try await server.pull(server.file("ranges")) }
        #expect(error?.description.contains("authority that is not trusted") == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("at the last of") == false)
    }

    @Test func theProxyOfTheEnvironmentIsAsked() async throws {
        let proxy = try Server()
        var file = proxy.file("ranges")
        file.url = "https://models.invalid/ranges/model.bin"
        let variables = ProxyVariables(environment: ["https_proxy": "http://somebody:word@127.0.0.1:\(proxy.port)"])
        let puller = Puller(folder: proxy.pulled, proxies: variables)
        let error = await #expect(throws: Fatal.self) { try await puller.pull(file) { _ in } }
        #expect(error?.description.contains("Proxy authentication required") == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("at the last of") == false)
    }

    @Test func cancellingEndsThePullAndItsPartStaysForTheNext() async throws {
        let server = try Server()
        let file = server.file("busy")
        // The first answer of this path is 503, so the pull is waiting when it is cancelled.
        let pull = Task { try await server.pull(file) }
        pull.cancel()
        await #expect(throws: (any Error).self) { _ = try await pull.value }
        #expect(server.kept == nil)
        _ = try await server.pull(file)
        #expect(server.kept == server.content)
    }
}
