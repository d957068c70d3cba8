import Foundation
import Jobs
import NIOCore
import TestSupport
import Testing

/// The databases that every test of the store runs on.
enum TestDatabase: String, CaseIterable, CustomTestStringConvertible {
    case sqlite, postgres

    var testDescription: String { rawValue }

    /// PostgreSQL is left out, aloud, where it is not installed.
    static let here: [TestDatabase] = {
        if PostgresServer.programs() != nil { return allCases }
        print("SKIPPED on PostgreSQL: the tests of the job store (Debian's package postgresql is not installed)")
        return [.sqlite]
    }()

    /// Runs `body` on an empty database; `open` connects once more, as another gateway does.
    func with(_ body: (_ open: @Sendable @escaping () throws -> any SQLDatabase) async throws -> Void) async throws {
        switch self {
        case .sqlite:
            let folder = FileManager.default.temporaryDirectory.appending(path: "jobs-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let path = folder.appending(path: "jobs.sqlite").path
            var configuration = SQLiteDatabase.Configuration()
            configuration.busyTimeout = .seconds(120)
            try await body { [configuration] in try SQLiteDatabase(path: path, configuration) }
        case .postgres:
            let server = try #require(try await PostgresServer.shared.value)
            let url = try await server.makeDatabase()
            var configuration = PostgresDatabase.Configuration()
            configuration.connectTimeout = .seconds(120)
            configuration.statementTimeout = .seconds(120)
            configuration.lockTimeout = .seconds(120)
            try await body { [configuration] in PostgresDatabase(url: url, configuration) }
        }
    }

    /// Runs `body` with a store on an empty database.
    func withStore(_ body: (JobStore) async throws -> Void) async throws {
        try await with { open in
            let store = try await JobStore(open())
            try await body(store)
            try await store.close()
        }
    }
}

extension Job {
    static func sample(
        owner: String = "ada", at time: Int64 = 1000, expires: Int64 = 1_000_000, bytes: Int64 = 10
    ) -> Job {
        Job(
            id: JobID(at: JobTime(milliseconds: time)), owner: owner, name: "straße \u{1F6B2} '\"; --.mp4",
            request: Request(pipeline: "detect", minConfidence: 0.25, annotate: true, areas: "{}"),
            video: Video(width: 640, height: 480, frameRate: 29.97, duration: 7_000), framesTotal: 200,
            createdAt: JobTime(milliseconds: time), expiresAt: JobTime(milliseconds: expires), storedBytes: bytes)
    }
}

extension JobPauses {
    static let short = JobPauses(first: .seconds(3), longest: .seconds(40))
}

extension JobTime {
    static func at(_ milliseconds: Int64) -> JobTime { JobTime(milliseconds: milliseconds) }
}

extension FrameBatch {
    static func of(_ sequences: Range<Int64>) -> FrameBatch {
        var batch = FrameBatch()
        batch.results = sequences.map { FrameResult(sequence: $0, body: .init(string: "frame \($0)\0")) }
        return batch
    }
}

/// The code of the `JobError` that `body` throws.
func code(_ body: () async throws -> Void) async throws -> JobError.Code? {
    do {
        try await body()
        return nil
    } catch let error as JobError {
        return error.code
    }
}
