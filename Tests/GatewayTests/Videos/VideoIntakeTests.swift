import Foundation
import HTTPTypes
import Jobs
import Synchronization
import Testing

@testable import Gateway

@Suite struct VideoIntakeTests {
    /// A real database whose answers may get lost on their way, before or after the transaction.
    private final class Unsure: SQLDatabase {
        enum Loss { case none, beforeCommit, answer }

        let database: SQLiteDatabase
        let loss = Mutex(Loss.none)
        var dialect: SQLDialect { database.dialect }

        init(_ database: SQLiteDatabase) { self.database = database }

        func read<Value: Sendable>(
            _ body: @Sendable @escaping (any SQLSession) throws -> Value
        ) async throws -> Value { try await database.read(body) }

        func write<Value: Sendable>(
            _ body: @Sendable @escaping (any SQLSession) throws -> Value
        ) async throws -> Value {
            let lost = JobError(.unavailable, "the connection is gone")
            switch loss.withLock({ $0 }) {
            case .none: return try await database.write(body)
            case .beforeCommit: throw lost
            case .answer:
                _ = try await database.write(body)
                throw lost
            }
        }

        func close() async throws { try await database.close() }
    }

    private static func with(
        configure: (inout VideoJobLimits) -> Void = { _ in },
        _ body: (_ videos: VideoServices, _ database: Unsure, _ job: Job) async throws -> Void
    ) async throws {
        let data = FileManager.default.temporaryDirectory.appending(path: "intake-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: data) }
        let database = Unsure(try SQLiteDatabase(path: data.appending(path: "jobs.sqlite").path))
        var limits = GatewayLimits()
        configure(&limits.videos)
        let videos = VideoServices(try await JobStore(database), try VideoFolder(in: data.path), helper: "", limits)
        let job = Job(
            id: JobID(at: .now), owner: "ada", name: "", request: Job.Request(pipeline: "detect"),
            video: Job.Video(width: 1, height: 1, frameRate: 1), createdAt: .now, expiresAt: .now, storedBytes: 1)
        try Data("x".utf8).write(to: URL(fileURLWithPath: videos.folder.file(.video, of: job.id)))
        try await body(videos, database, job)
        try await videos.store.close()
    }

    @Test func aJobWhoseCommitWasNotHeardOfKeepsItsFile() async throws {
        try await Self.with { videos, database, job in
            database.loss.withLock { $0 = .answer }
            let recorded = try await VideoIntake(videos: videos).record(job)
            #expect(recorded.id == job.id)
            #expect(await videos.folder.size(.video, of: job.id) == 1)
        }
    }

    @Test func aFileWhoseJobMayStillComeIsLeftToTheSweep() async throws {
        try await Self.with { videos, database, job in
            database.loss.withLock { $0 = .beforeCommit }
            await #expect(throws: JobError.self) { try await VideoIntake(videos: videos).record(job) }
            #expect(await videos.folder.size(.video, of: job.id) == 1)
            database.loss.withLock { $0 = .none }
            let sweep = VideoSweep(videos: videos, logger: BundledMesh.logger)
            try await sweep.run(now: .now)
            #expect(await videos.folder.size(.video, of: job.id) == 1)
            // No job has come of it.
            try await sweep.run(now: .now + VideoSweep.orphanAge + .seconds(60))
            #expect(await videos.folder.size(.video, of: job.id) == 0)
        }
    }

    @Test func aFileWithAJobStaysHoweverOldItIs() async throws {
        try await Self.with { videos, database, job in
            database.loss.withLock { $0 = .answer }
            _ = try await VideoIntake(videos: videos).record(job)
            database.loss.withLock { $0 = .none }
            try await VideoSweep(videos: videos, logger: BundledMesh.logger).run(now: .now + .seconds(900_000))
            #expect(await videos.folder.size(.video, of: job.id) == 1)
        }
    }

    @Test func aJobThatOthersLeftNoRoomForGoesWithItsFile() async throws {
        try await Self.with(configure: { $0.maxJobs = 1 }) { videos, _, job in
            _ = try await VideoIntake(videos: videos).record(job)
            // By another gateway, after this one had looked.
            let late = Job(
                id: JobID(at: .now), owner: "", name: "", request: job.request, video: job.video, createdAt: .now,
                expiresAt: .now, storedBytes: 1)
            try Data("x".utf8).write(to: URL(fileURLWithPath: videos.folder.file(.video, of: late.id)))
            let problem = await #expect(throws: Problem.self) { try await VideoIntake(videos: videos).record(late) }
            #expect(problem?.status.code == 507 && problem?.limit?.name == "max-video-jobs")
            #expect(await videos.folder.size(.video, of: late.id) == 0)
        }
    }

    @Test func aFileWhoseJobIsRefusedGoes() async throws {
        try await Self.with { videos, database, job in
            try await videos.store.create(job)
            await #expect(throws: JobError.self) { try await VideoIntake(videos: videos).record(job) }
            #expect(await videos.folder.size(.video, of: job.id) == 0)
        }
    }
}
