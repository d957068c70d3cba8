import Foundation
import Jobs
import Messages
import NIOCore
import Testing

@testable import Gateway

/// What a watcher of a job is told, from a real store.
@Suite(.timeLimit(.minutes(10))) struct JobWatchTests {
    private static let frames: Int64 = 700
    /// Of one frame's events, by far.
    private static let frameBytes = 8 << 10

    /// An object that is in the left half of the picture and in the right one by turns of twenty frames.
    private static func response(_ sequence: Int64) -> AnalyzeResponse {
        var response = AnalyzeResponse()
        response.sequence = UInt64(sequence)
        response.captureTime = sequence * 100_000
        response.status = .ok
        (response.width, response.height) = (100, 100)
        var detection = Detection(
            classID: 1, label: String(repeating: "x", count: 500), confidence: 0.9,
            box: Box(x: sequence / 20 % 2 == 0 ? 20 : 70, y: 40, width: 10, height: 10))
        detection.trackID = 7
        response.detections = [detection]
        return response
    }

    private struct Event: Sendable {
        var name: String
        var data: String

        func isArea(_ type: String) -> Bool { name == "area" && data.contains("\"type\":\"\(type)\"") }

        static func list(_ text: String) -> [Event] {
            text.components(separatedBy: "\n\n").compactMap { block in
                let lines = block.split(separator: "\n")
                guard let name = lines.first(where: { $0.hasPrefix("event: ") })?.dropFirst(7) else { return nil }
                let data = lines.first { $0.hasPrefix("data: ") }?.dropFirst(6) ?? ""
                return Event(name: String(name), data: String(data))
            }
        }
    }

    private static func with(
        _ limits: GatewayLimits = GatewayLimits(), _ body: (_ videos: VideoServices, _ job: Job) async throws -> Void
    ) async throws {
        let data = FileManager.default.temporaryDirectory.appending(path: "watch-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: data) }
        let store = try await JobStore(SQLiteDatabase(path: data.appending(path: "jobs.sqlite").path))
        let videos = VideoServices(store, try VideoFolder(in: data.path), helper: "", limits)
        let job = Job(
            id: JobID(at: .now), owner: "", name: "", request: Job.Request(pipeline: "track"),
            video: Job.Video(width: 100, height: 100, frameRate: 10), createdAt: .now, expiresAt: .now, storedBytes: 1)
        try await store.create(job)
        let claimed = try await store.claim(by: "a", now: .now, for: .seconds(3600))
        let lease = try #require(claimed?.lease)
        var batch = FrameBatch()
        batch.results = (0..<frames).map { FrameResult(response($0)) }
        try await store.append(batch, lease)
        try await store.finish(lease, as: .done, storedBytes: 1, now: .now, keep: .seconds(3600))
        try await body(videos, job)
        try await store.close()
    }

    private static func watch(_ videos: VideoServices, _ job: Job, from first: Int64 = 0) throws -> JobWatch {
        try JobWatch(videos, job.id, from: first, for: Caller(address: nil).key)
    }

    @Test func whatIsToldComesInBoundedPieces() async throws {
        try await Self.with { videos, job in
            var watch = try Self.watch(videos, job)
            var text = ""
            var isDrawn = false
            while let pieces = try await watch.next() {
                let bytes = pieces.reduce(0) { $0 + $1.readableBytes }
                #expect(bytes <= 64 << 10 + Self.frameBytes)
                for piece in pieces { text += String(buffer: piece) }
                // When a good part was told; what happened in it comes in pieces, too.
                guard !isDrawn, text.utf8.count > 200_000 else { continue }
                isDrawn = true
                _ = try await videos.store.setAreas(Self.middle, of: job.id)
            }
            let events = Event.list(text)
            #expect(events.count { $0.name == "frame" } == Int(Self.frames))
            #expect(events.count { $0.name == "areas" } == 1)
            #expect(events.last?.name == "end")
            // Every turn of twenty frames crosses the line, whenever it was drawn.
            #expect(events.count { $0.isArea("cross") } == Int(Self.frames) / 20 - 1)
        }
    }

    private static let middle = #"{"zones":[],"lines":[{"name":"middle","from":[50,0],"to":[50,100]}]}"#

    /// Whoever changes areas again and again keeps no more than so many readers busy.
    @Test func changedAreasWaitForAPlaceToReadAndAreNotForgotten() async throws {
        var limits = GatewayLimits()
        limits.videos.maxReaders = 1
        limits.videos.watchInterval = .milliseconds(1)
        try await Self.with(limits) { videos, job in
            var reader: Places.Place? = try videos.readers.take(for: .name("another"))
            var watch = try Self.watch(videos, job)
            var text = ""
            var looks = 0
            var isDrawn = false
            while let pieces = try await watch.next() {
                for piece in pieces { text += String(buffer: piece) }
                // When a good part was told: that would have to be gone through again.
                if !isDrawn, text.utf8.count > 200_000 {
                    isDrawn = true
                    _ = try await videos.store.setAreas(Self.middle, of: job.id)
                }
                if reader != nil, Event.list(text).count(where: { $0.name == "frame" }) == Int(Self.frames) {
                    looks += 1
                }
                // All frames are told, and the job is done: it is not the end, as the new areas are still to come.
                guard looks == 3, reader != nil else { continue }
                #expect(Event.list(text).allSatisfy { !["areas", "area", "end"].contains($0.name) })
                reader = nil
            }
            let events = Event.list(text)
            #expect(events.count { $0.name == "frame" } == Int(Self.frames))
            #expect(events.count { $0.name == "areas" } == 1)
            #expect(events.count { $0.isArea("cross") } == Int(Self.frames) / 20 - 1)
            #expect(events.last?.name == "end")
            #expect(videos.readers.taken == 0)
        }
    }

    @Test func aPageHoldsNoMoreThanItsFramesAndBytes() async throws {
        var limits = GatewayLimits()
        limits.videos.pageBytes = 5000
        try await Self.with(limits) { videos, job in
            var next: Int64 = 0
            var pages = 0
            while true {
                let page = try await videos.page(of: job.id, from: next)
                let sequences = page.results.map { Int64($0.sequence) }
                #expect(sequences == Array(next..<(next + Int64(sequences.count))))
                // 500 bytes of each are its label.
                #expect(sequences.count <= 10)
                next += Int64(sequences.count)
                pages += 1
                if page.isLast { break }
            }
            #expect(next == Self.frames && pages >= Int(Self.frames) / 10)
        }
    }

    /// One that comes back is told the rest, with what follows from all.
    @Test(arguments: [0, 695] as [Int64]) func whoIsInsideAtTheEndLeaves(_ first: Int64) async throws {
        try await Self.with { videos, job in
            _ = try await videos.store.setAreas(
                #"{"zones":[{"name":"all","points":[[0,0],[100,0],[100,100],[0,100]]}],"lines":[]}"#, of: job.id)
            var watch = try Self.watch(videos, job, from: first)
            var text = ""
            while let pieces = try await watch.next() {
                for piece in pieces { text += String(buffer: piece) }
            }
            let events = Event.list(text)
            #expect(events.count { $0.name == "frame" } == Int(Self.frames - first))
            #expect(events.count { $0.isArea("enter") } == (first == 0 ? 1 : 0))
            #expect(events.count { $0.isArea("leave") } == 1)
            let last = events.suffix(3)
            #expect(last.map(\.name) == ["area", "area", "end"])
            #expect(last.first?.data.contains("\"sequence\":\(Self.frames - 1)") == true)
        }
    }
}
