import Foundation
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import RPC

/// Servers that listen on a Unix-domain socket.
@Suite(.timeLimit(.minutes(5))) struct UnixSocketTests {
    /// A path in a folder of its own, which is removed afterwards.
    private func withPath(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "s-\(UInt32.random(in: 0...UInt32.max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder.appending(path: "x").path)
    }

    private func bind(_ path: String, _ configuration: ServerConfiguration = .init()) async throws -> RPCServer {
        try await RPCServer.bind(
            unixSocket: path, configuration: configuration,
            services: [
                TableService(methods: [
                    "Echo": .unary { _, payload in UnaryResponse(payload) },
                    "Peer": .immediate { context, _ in UnaryResponse(Payload(context.peer)) },
                ])
            ], group: Loopback.group, logger: Loopback.logger)
    }

    /// Runs `body`, then drains.
    private func run(_ server: RPCServer, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            try await body()
            server.drain()
            try await tasks.waitForAll()
        }
    }

    private func call(
        _ path: String, _ method: String, _ client: ClientConfiguration = .patient
    ) async throws -> String {
        let connection = try await RPCConnection.connect(
            to: ServerAddress(parsing: "unix:\(path)"), configuration: client, group: Loopback.group,
            logger: Loopback.logger)
        defer { connection.close() }
        return try await connection.unary("/test.Service/\(method)", Payload("hello")).payload.text
    }

    private func expect(
        _ expected: String, from method: String, _ path: String, _ client: ClientConfiguration = .patient
    ) async throws {
        let answer = try await call(path, method, client)
        #expect(answer == expected)
    }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test func callsGoThroughASocketInTheFileSystem() async throws {
        try await withPath { path in
            let server = try await bind(path)
            #expect(server.address.readable == "unix:\(path)")
            let mode = try self.mode(path)
            #expect(mode == 0o600)
            try await run(server) {
                try await expect("hello", from: "Echo", path)
                try await expect("unix:\(path)", from: "Peer", path)
            }
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func theModeIsAnOption() async throws {
        try await withPath { path in
            var configuration = ServerConfiguration()
            configuration.unixSocketMode = 0o660
            let server = try await bind(path, configuration)
            let mode = try self.mode(path)
            #expect(mode == 0o660)
            try await run(server) {}
        }
    }

    @Test func aSocketThatListensIsNotTakenOver() async throws {
        try await withPath { path in
            let server = try await bind(path)
            let error = await failure { _ = try await bind(path) }
            #expect(error?.message == "cannot listen on unix:\(path): another server listens there")
            try await run(server) { try await expect("hello", from: "Echo", path) }
        }
    }

    @Test func aSocketThatIsLeftOverIsTakenOver() async throws {
        try await withPath { path in
            let (_, descriptor) = try await SocketFile.listen(path, mode: 0o600, backlog: 1)
            close(descriptor)
            #expect(FileManager.default.fileExists(atPath: path))
            // A process that another test starts just now holds a copy of the descriptor until it has begun.
            var server: RPCServer?
            for _ in 0..<1000 where server == nil {
                do {
                    server = try await bind(path)
                } catch let error as RPCError where error.message.hasSuffix("another server listens there") {
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            try await run(try #require(server)) { try await expect("hello", from: "Echo", path) }
        }
    }

    @Test func whatIsNoSocketStays() async throws {
        try await withPath { path in
            try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
            let error = await failure { _ = try await bind(path) }
            #expect(error?.message == "cannot listen on unix:\(path): it is a file, not a socket")
            let content = try String(contentsOfFile: path, encoding: .utf8)
            #expect(content == "precious")
            let nowhere = await failure { _ = try await bind("\(path)/a/b") }
            #expect(nowhere?.message.contains("cannot open its folder") == true)
            let long = await failure { _ = try await bind(path + String(repeating: "x", count: 120)) }
            #expect(long?.message.contains("the path is too long for a socket") == true)
        }
    }

    @Test func aSocketThatAnotherServerHasTakenOverIsNotRemoved() async throws {
        try await withPath { path in
            let first = try await bind(path)
            try FileManager.default.removeItem(atPath: path)
            let second = try await bind(path)
            try await run(first) {}
            try await run(second) { try await expect("hello", from: "Echo", path) }
        }
    }

    /// Does what another process would while it looks and binds in the folder of `path`.
    private func holdingFolder(of path: String, _ body: () async throws -> Void) async throws {
        let folder = unsafe open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY)
        #expect(flock(folder, LOCK_EX) == 0)
        defer { close(folder) }
        try await body()
    }

    @Test func aFolderThatIsLockedIsWaitedForWithoutAThread() async throws {
        try await withPath { path in
            // More than there are threads.
            var waiting: [Task<(SocketFile, CInt), any Error>] = []
            try await holdingFolder(of: path) {
                for index in 0..<100 {
                    waiting.append(
                        Task {
                            try await SocketFile.listen(
                                "\(path)-\(index)", mode: 0o600, backlog: 1, patience: .seconds(60))
                        })
                }
                for _ in 0..<100 { _ = try await NIOThreadPool.singleton.runIfActive { 0 } }
            }
            for task in waiting {
                let (file, descriptor) = try await task.value
                file.remove()
                close(descriptor)
            }
        }
    }

    @Test func aFolderThatStaysLockedIsSaidToBe() async throws {
        try await withPath { path in
            try await holdingFolder(of: path) {
                let error = await failure {
                    _ = try await SocketFile.listen(path, mode: 0o600, backlog: 1, patience: .milliseconds(20))
                }
                #expect(error?.message.contains("another process has locked its folder") == true)
                let waiting = Task {
                    await failure {
                        _ = try await SocketFile.listen(path, mode: 0o600, backlog: 1, patience: .seconds(600))
                    }
                }
                waiting.cancel()
                #expect(await waiting.value?.code == .cancelled)
            }
        }
    }

    @Test func tlsWorksThere() async throws {
        let files = try await TLSFixture.make()
        try await withPath { path in
            let server = try await bind(path, files.server(.required(authorities: files.authorities("home"))))
            try await run(server) {
                try await expect("hello", from: "Echo", path, files.client(as: "client-home"))
            }
        }
    }
}
