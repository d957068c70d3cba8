import Foundation
import Mesh
import NIOCore
import TestSupport
import Testing

@testable import Gateway

/// Gateways as processes of their own, killed while they work.
@Suite struct GatewayCrashTests {
    enum Keeping: String, CaseIterable, CustomTestStringConvertible {
        case sqlite, postgres

        var testDescription: String { rawValue }

        /// PostgreSQL is left out, aloud, where it is not installed.
        static let here: [Keeping] = {
            if PostgresServer.programs() != nil { return allCases }
            print("SKIPPED with PostgreSQL: gateways that die (Debian's package postgresql is not installed)")
            return [.sqlite]
        }()

        var database: String {
            get async throws {
                switch self {
                case .sqlite: "sqlite"
                case .postgres:
                    try await #require(try await PostgresServer.shared.value).makeDatabase()
                }
            }
        }
    }

    @Test(arguments: Keeping.here)
    func eachFrameOfAKilledGatewaysJobHasOneResult(_ keeping: Keeping) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "gateways-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let database = try await keeping.database
        let first = try await GatewayProcess.start(data: folder, database: database)
        let job = try await first.gateway.uploadVideo(
            try await TestVideo.long(in: folder), "pipeline=track&annotate=true")
        _ = try await first.gateway.job(job.id) { ($0[path: "progress.frames_done"] ?? 0) >= 20 }
        // It gets no further than this while the other one starts.
        first.process.signal(SIGSTOP)
        // With PostgreSQL the second one is there already, and sees the first one die.
        let early = keeping == .postgres ? try await GatewayProcess.start(data: folder, database: database) : nil
        first.process.signal(SIGKILL)
        _ = try await first.process.finish(within: .seconds(60))
        let second: GatewayProcess
        if let early { second = early } else { second = try await .start(data: folder, database: database) }
        let done = try await second.gateway.finishedJob(job.id)
        #expect(done.state == "done", "\(done)")
        let lines = try await second.gateway.lines(job.id)
        let frames = try #require(done[path: "progress.frames_done"])
        #expect(lines.map { $0["sequence"] as? Int } == Array(0..<frames))
        // It did begin in one life and end in another, and says which tracks are of which.
        let epochs = lines.map { $0["epoch"] as? Int ?? 0 }
        #expect(epochs.first == 0 && epochs.last ?? 0 > 0 && epochs == epochs.sorted(), "\(epochs)")
        #expect(try await second.gateway.get("/v1/videos/\(job.id)/annotated").status == 200)
        second.process.signal(SIGTERM)
        _ = try await second.process.finish(within: .seconds(120))
    }

    /// Where there is but one machine, the next gateway knows that the one before is dead, and waits for no lease.
    @Test func whatAKilledGatewayHadGoesOnAtOnce() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "gateways-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let arguments = [
            "--camera-folder", Place.resources.appending(path: "demo").path, "--limit", "video-batch-frames=4",
            "--limit", "stream-lease=3600s", "--limit", "video-lease=3600s",
        ]
        func died(_ gateway: GatewayProcess) async throws {
            gateway.process.signal(SIGKILL)
            _ = try await gateway.process.finish(within: .seconds(60))
        }
        let first = try await GatewayProcess.start(data: folder, arguments)
        let stream = try await TestStream.begin(
            first.gateway, ["source": ["file": "digits.mp4"], "pipeline": "detect", "max_fps": 1])
        let job = try await first.gateway.uploadVideo(try await TestVideo.long(in: folder))
        _ = try await first.gateway.job(job.id) { ($0[path: "progress.frames_done"] ?? 0) >= 20 }
        try await died(first)
        let second = try await GatewayProcess.start(data: folder, arguments)
        try await within(.seconds(300), "the stream does not go on") {
            while try await second.gateway.get(stream).status != 200 { try await Task.sleep(for: .milliseconds(20)) }
        }
        let done = try await second.gateway.finishedJob(job.id)
        #expect(done.state == "done", "\(done)")
        #expect(try await second.gateway.sequences(job.id) == Array(0..<(done[path: "progress.frames_done"] ?? -1)))
        try await died(second)
        // Without a mesh it cannot go on, and who does not want it any more is heard all the same.
        let third = try await GatewayProcess.start(data: folder, arguments + ["--coordinator", "127.0.0.1:1"])
        #expect(try await third.gateway.get(stream).status == 404)
        #expect(try await third.gateway.send("DELETE", stream).status == 204)
        #expect(try await third.gateway.send("DELETE", stream).status == 404)
        try await died(third)
    }
}

/// `framemesh gateway`.
struct GatewayProcess {
    let process: ChildProcess
    let gateway: TestGateway

    static func start(data: URL, database: String) async throws -> GatewayProcess {
        try await start(
            data: data,
            ["--database", database, "--limit", "video-lease=4s", "--limit", "video-batch-frames=4"])
    }

    static func start(
        data: URL, _ arguments: [String] = [], environment: [String: String] = [:]
    ) async throws -> GatewayProcess {
        let process = try ChildProcess(
            Place.products.appending(path: "framemesh"),
            [
                "gateway", "--listen", "127.0.0.1:0", "--coordinator", try await BundledMesh.shared.target.description,
                "--data", data.path,
            ] + arguments, environment: environment)
        let place = try await process.line(startingWith: "ready ").split(separator: ":")
        let address = try SocketAddress(
            ipAddress: String(try #require(place.first)), port: try #require(place.last.flatMap { Int($0) }))
        return GatewayProcess(
            process: process, gateway: TestGateway(address: address, routes: [], data: data))
    }
}
