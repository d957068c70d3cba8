import Foundation
import Jobs
import Testing

@testable import Gateway

/// `GET /v1/videos/{id}/results`, however it is read.
@Suite struct VideoResultsTests {
    /// With pages of one frame each, of a few, and of all.
    @Test(arguments: [(256, 256 << 10), (7, 256 << 10), (256, 1), (1, 1)])
    func resultsAreWholeWhateverFitsAPage(_ frames: Int, _ bytes: Int) async throws {
        try await TestGateway.with(mesh: .shared) {
            $0.limits.videos.pageFrames = frames
            $0.limits.videos.pageBytes = bytes
        } _: { gateway in
            let id = try await gateway.uploadVideo(try await TestVideo.short(in: gateway.data), "annotate=true").id
            #expect(try await gateway.finishedJob(id).state == "done")
            #expect(try await gateway.sequences(id) == Array(0..<5))
            let csv = try await gateway.get("/v1/videos/\(id)/results?format=csv").text
            #expect(
                Set(csv.split(separator: "\r\n").dropFirst().compactMap { $0.split(separator: ",").first }).count <= 5)
            #expect(try await gateway.get("/v1/videos/\(id)/annotated").status == 200)
            let events = try await gateway.get("/v1/videos/\(id)/events").text
            #expect(events.components(separatedBy: "event: frame\n").count == 6)
        }
    }

    /// As where a job goes while somebody goes through its results.
    @Test func resultsThatGoMeanwhileAreNotWhole() async throws {
        try await TestGateway.with(mesh: .shared) { gateway in
            let id = try await gateway.uploadVideo(try await TestVideo.short(in: gateway.data)).id
            #expect(try await gateway.finishedJob(id).state == "done")
            let database = try SQLiteDatabase(path: gateway.data.appending(path: "jobs.sqlite").path)
            try await database.write { session in
                _ = try session.run(
                    "DELETE FROM framemesh_frame WHERE job = $1 AND sequence >= $2", [.text(id), .integer(3)])
            }
            try await database.close()
            await #expect(throws: (any Error).self) { try await gateway.get("/v1/videos/\(id)/results?format=jsonl") }
        }
    }

    @Test func whoFindsNoPlaceToReadMayComeAgain() async throws {
        try await TestGateway.with(mesh: .shared) {
            $0.limits.videos.maxReaders = 0
        } _: { gateway in
            let id = try await gateway.uploadVideo(try await TestVideo.short(in: gateway.data)).id
            let answer = try await gateway.get("/v1/videos/\(id)/results")
            #expect(answer.status == 429 && answer.headers["retry-after"] == "1", "\(answer.text)")
            #expect(try answer.json()["limit_name"] as? String == "max-result-readers")
        }
    }
}
