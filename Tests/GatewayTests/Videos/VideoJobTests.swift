import Foundation
import TestSupport
import Testing

@testable import Gateway

/// Videos over HTTP, with a real mesh behind the gateway.
@Suite struct VideoJobTests {
    @Test func aVideoBecomesResultsOfEveryFrame() async throws {
        try await TestGateway.with(mesh: .shared) { gateway in
            let created = try await gateway.post(
                "/v1/videos?pipeline=cascade%2Btrack&name=f%C3%A4ll.mp4&annotate=true", try TestVideo.digits,
                type: "video/mp4")
            #expect(created.status == 201)
            let id = try created.json().id
            #expect(created.headers["location"] == "/v1/videos/\(id)")
            let job = try await gateway.finishedJob(id)
            #expect(job.state == "done", "\(job)")
            #expect(job["name"] as? String == "fäll.mp4")
            let frames = try #require(job[path: "progress.frames_done"])
            #expect(frames > 10 && job[path: "progress.frames_total"] == frames)
            #expect(job[path: "progress.failed"] == 0 && job[path: "progress.dropped"] == 0)
            let lines = try await gateway.lines(id)
            #expect(lines.map { $0["sequence"] as? Int } == Array(0..<frames))
            #expect(lines.allSatisfy { $0["status"] as? String == "ok" && $0["detections"] != nil })
            let tracked = lines.flatMap { $0["detections"] as? [[String: Any]] ?? [] }.filter { $0["track_id"] != nil }
            #expect(!tracked.isEmpty)
            try await theOtherFormatsAgree(gateway, id, tracked.count)
            try await theAnnotatedVideoPlays(gateway, id, frames)
        }
    }

    @Test func aVideoThatIsDamagedSaysSo() async throws {
        try await TestGateway.with(mesh: .shared) { gateway in
            var video = try TestVideo.digits
            for at in [20_000, 60_000, 90_000] { video[at] ^= 0xFF }
            let damaged = try await gateway.finishedJob(gateway.uploadVideo(video).id)
            #expect(damaged.state == "done", "\(damaged)")
            #expect(damaged[path: "progress.damaged_packets"] == 3, "\(damaged)")
            // What is left of it is cut off, and has damage in it all the same.
            let part = try await gateway.finishedJob(gateway.uploadVideo(video.prefix(100_000)).id)
            #expect(part.state == "failed" && (part["error"] as? String)?.contains("cut off") == true, "\(part)")
            #expect((part[path: "progress.damaged_packets"] ?? 0) >= 3, "\(part)")
            #expect((part[path: "progress.frames_done"] ?? 0) > 0, "\(part)")
        }
    }

    @Test func whoeverCancelsAJobIsNotALostLease() async throws {
        let log = LogRecorder()
        try await TestGateway.with(mesh: .shared, logger: log.logger) { gateway in
            let id = try await gateway.uploadVideo(try await TestVideo.long(in: gateway.data)).id
            _ = try await gateway.job(id) { ($0[path: "progress.frames_done"] ?? 0) > 0 }
            #expect(try await gateway.send("POST", "/v1/videos/\(id)/cancel").status == 200)
            let left = try await within(.seconds(120), "nobody says that the job was left") {
                while true {
                    if let line = log.lines.first(where: { $0.message == "video job left" }) { return line }
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            #expect(left.metadata["reason"] == "it was cancelled")
        }
    }

    @Test func areasAreInThePicture() async throws {
        try await TestGateway.with(mesh: .shared) { gateway in
            // The video has 640×480.
            let far = #"{"zones":[{"name":"far","points":[[0,0],[641,0],[0,480]]}]}"#
            let query = try #require(far.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
            let refused = try await gateway.post(
                "/v1/videos?pipeline=detect&areas=\(query)", try TestVideo.digits, type: "video/mp4")
            #expect(refused.status == 400, "\(refused.text)")
            #expect(try refused.json()["field"] as? String == "areas.zones[0].points[1]")
            #expect(
                try FileManager.default.contentsOfDirectory(
                    atPath: gateway.data.appending(path: "videos").path
                ).isEmpty)
            let id = try await gateway.uploadVideo(try TestVideo.digits).id
            let put = try await gateway.send("PUT", "/v1/videos/\(id)/areas", body: Data(far.utf8))
            #expect(put.status == 400)
            #expect(try put.json()["field"] as? String == "zones[0].points[1]")
        }
    }

    private func theOtherFormatsAgree(_ gateway: TestGateway, _ id: String, _ tracked: Int) async throws {
        let csv = try await gateway.get("/v1/videos/\(id)/results", headers: ["Accept": "text/csv"])
        #expect(csv.headers["content-type"] == "text/csv; charset=utf-8")
        #expect(csv.text.hasPrefix("sequence,time_ms,"))
        #expect(csv.text.split(separator: "\r\n").count > tracked)
        let mot = try await gateway.get("/v1/videos/\(id)/results?format=mot")
        let ids = mot.text.split(separator: "\n").map { $0.split(separator: ",")[1] }
        #expect(ids.count { $0 != "-1" } == tracked)
        #expect(mot.text.split(separator: "\n").allSatisfy { $0.split(separator: ",").count == 10 })
        #expect(try await gateway.get("/v1/videos/\(id)/results?format=xml").status == 400)
        #expect(try await gateway.get("/v1/videos/\(id)/results", headers: ["Accept": "image/png"]).status == 406)
    }

    private func theAnnotatedVideoPlays(_ gateway: TestGateway, _ id: String, _ frames: Int) async throws {
        let path = "/v1/videos/\(id)/annotated"
        let whole = try await gateway.get(path)
        #expect(whole.status == 200 && whole.headers["content-type"] == "video/mp4")
        #expect(whole.headers["accept-ranges"] == "bytes")
        // The index comes first, so that playing begins before all of it has come.
        let index = try #require(whole.body.range(of: Data("moov".utf8)))
        let pictures = try #require(whole.body.range(of: Data("mdat".utf8)))
        #expect(index.lowerBound < pictures.lowerBound)
        let part = try await gateway.get(path, headers: ["Range": "bytes=100-299"])
        #expect(part.status == 206 && part.body == whole.body[100..<300])
        #expect(part.headers["content-range"] == "bytes 100-299/\(whole.body.count)")
        let beyond = try await gateway.get(path, headers: ["Range": "bytes=\(whole.body.count)-"])
        #expect(beyond.status == 416 && beyond.headers["content-range"] == "bytes */\(whole.body.count)")
        // It is a video itself, of as many frames.
        let again = try await gateway.uploadVideo(whole.body)
        #expect(try await gateway.finishedJob(again.id)[path: "progress.frames_done"] == frames)
    }

    @Test func pixelsOfTheAnnotatedVideoHaveTheRatioOfTheFile() async throws {
        try await TestGateway.with(mesh: .shared) { gateway in
            let video = try await TestVideo.wide(in: gateway.data)
            let id = try await gateway.uploadVideo(video, "pipeline=detect&annotate=true").id
            let job = try await gateway.finishedJob(id)
            #expect(job.state == "done" && job[path: "video.width"] == 640 && job[path: "video.height"] == 480)
            let drawn = try await gateway.get("/v1/videos/\(id)/annotated").body
            #expect(try await TestVideo.aspect(of: drawn, in: gateway.data) == "4:3")
        }
    }

    /// A container that says neither its frames nor its length.
    @Test func aVideoThatDoesNotSayHowLongItIsLastsToItsLastFrame() async throws {
        try await TestGateway.with(mesh: .shared) { gateway in
            let created = try await gateway.uploadVideo(try await TestVideo.uncounted(in: gateway.data))
            #expect((created["video"] as? [String: Any])?["duration"] == nil, "\(created)")
            let job = try await gateway.finishedJob(created.id)
            let last = try #require(try await gateway.lines(created.id).last?["time_ms"] as? NSNumber)
            let duration = try #require((job["video"] as? [String: Any])?["duration"] as? NSNumber)
            #expect(abs(duration.doubleValue - last.doubleValue / 1000) < 0.002, "\(job)")
        }
    }

    @Test func zonesAndLinesAreInTheAnnotatedVideo() async throws {
        try await TestGateway.with(mesh: .shared) { gateway in
            let folder = gateway.data
            let video = try await TestVideo.short(in: folder)
            // Its upper side is the row in the middle.
            let areas = #"{"zones":[{"name":"low","points":[[0,0.5],[1,0.5],[1,1],[0,1]]}],"normalized":true}"#
            let escaped = areas.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            for (query, isThere) in [("&areas=\(escaped)", true), ("", false)] {
                let id = try await gateway.uploadVideo(video, "pipeline=detect&annotate=true\(query)").id
                #expect(try await gateway.finishedJob(id).state == "done")
                let drawn = try await gateway.get("/v1/videos/\(id)/annotated").body
                let row = try await TestVideo.color(of: drawn, "620:2:10:239", in: folder)
                #expect((row[0] > 200 && row[1] > 120 && row[2] < 80) == isThere, "\(row)")
            }
        }
    }

    @Test func whoFollowsIsToldEveryFrameAndTheEnd() async throws {
        try await TestGateway.with(mesh: .shared) { gateway in
            let id = try await gateway.uploadVideo(try TestVideo.digits, "pipeline=track").id
            let areas = #"{"zones":[{"name":"all","points":[[0,0],[1,0],[1,1],[0,1]]}],"normalized":true}"#
            let put = try await gateway.send(
                "PUT", "/v1/videos/\(id)/areas", headers: ["Content-Type": "application/json"], body: Data(areas.utf8))
            #expect(put.status == 200)
            let answer = try await gateway.get("/v1/videos/\(id)/events")
            #expect(answer.headers["content-type"] == "text/event-stream")
            let events = Event.list(answer.text)
            let frames = events.filter { $0.name == "frame" }.compactMap { Int($0.id) }
            #expect(!frames.isEmpty && frames == Array(0..<frames.count))
            #expect(events.last?.name == "end" && events.last?.data.contains("\"state\":\"done\"") == true)
            #expect(events.contains { $0.name == "progress" })
            #expect(events.contains { $0.name == "area" && $0.data.contains("\"type\":\"enter\"") })
            // Whoever comes back misses nothing and sees nothing twice.
            let rest = Event.list(
                try await gateway.get("/v1/videos/\(id)/events", headers: ["Last-Event-ID": "4"]).text)
            #expect(rest.filter { $0.name == "frame" }.compactMap { Int($0.id) } == Array(5..<frames.count))
            #expect(try await gateway.get("/v1/videos/\(id)/areas").text.contains("\"all\""))
            let wrong = try await gateway.send(
                "PUT", "/v1/videos/\(id)/areas", headers: ["Content-Type": "application/json"],
                body: Data(#"{"zones":[{"name":"a","points":[[0,0]]}]}"#.utf8))
            #expect(wrong.status == 400)
            #expect(try wrong.json()["field"] as? String == "zones[0].points")
        }
    }

    private struct Event {
        var name = ""
        var id = ""
        var data = ""

        static func list(_ text: String) -> [Event] {
            text.split(separator: "\n\n").compactMap { block in
                var event = Event()
                for line in block.split(separator: "\n") {
                    if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
                    if line.hasPrefix("id: ") { event.id = String(line.dropFirst(4)) }
                    if line.hasPrefix("data: ") { event.data += line.dropFirst(6) }
                }
                return event.name.isEmpty ? nil : event
            }
        }
    }

    @Test func aGatewayThatIsStartedAgainGoesOnWhereTheOtherStopped() async throws {
        let data = FileManager.default.temporaryDirectory.appending(path: "gateway-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: data) }
        var id = ""
        try await TestGateway.with(
            mesh: .shared,
            configure: {
                $0.data = data.path
                $0.limits.videos.batchFrames = 3
            },
            { gateway in
                id = try await gateway.uploadVideo(try TestVideo.digits, "pipeline=track&annotate=true").id
                _ = try await gateway.job(id) { ($0[path: "progress.frames_done"] ?? 0) >= 3 }
            })
        try await TestGateway.with(mesh: .shared, configure: { $0.data = data.path }) { gateway in
            let job = try await gateway.finishedJob(id)
            #expect(job.state == "done", "\(job)")
            #expect(try await gateway.sequences(id) == Array(0..<(job[path: "progress.frames_done"] ?? 0)))
            #expect(try await gateway.get("/v1/videos/\(id)/annotated").status == 200)
        }
    }

    @Test func whatIsRemovedLeavesNothingBehind() async throws {
        try await TestGateway.with(mesh: .shared) { gateway in
            let id = try await gateway.uploadVideo(try TestVideo.digits).id
            let other = try await gateway.uploadVideo(try TestVideo.digits).id
            #expect(try await gateway.send("DELETE", "/v1/videos/\(id)").status == 204)
            for path in ["", "/results", "/events", "/annotated", "/areas"] {
                #expect(try await gateway.get("/v1/videos/\(id)\(path)").status == 404)
            }
            #expect(try await gateway.send("DELETE", "/v1/videos/\(id)").status == 404)
            let files = try FileManager.default.contentsOfDirectory(
                atPath: gateway.data.appending(path: "videos").path)
            #expect(files == ["\(other).video"])
            #expect(try await gateway.get("/v1/videos").text.contains(other))
            #expect(try await !gateway.get("/v1/videos").text.contains(id))
        }
    }

    @Test func aCancelledJobKeepsWhatItHas() async throws {
        try await TestGateway.with(mesh: .shared, configure: { $0.limits.videos.batchFrames = 1 }) { gateway in
            let id = try await gateway.uploadVideo(try TestVideo.digits, "pipeline=cascade").id
            _ = try await gateway.job(id) { ($0[path: "progress.frames_done"] ?? 0) >= 1 }
            let cancelled = try await gateway.send("POST", "/v1/videos/\(id)/cancel")
            let state = try cancelled.json().state
            // A fast machine may be done by now.
            #expect(["cancelled", "done"].contains(state))
            let sequences = try await gateway.sequences(id)
            #expect(sequences == Array(0..<sequences.count) && !sequences.isEmpty)
        }
    }

    @Test func listsComeInPages() async throws {
        try await TestGateway.with(mesh: .shared) { gateway in
            var ids: [String] = []
            for _ in 0..<3 { ids.append(try await gateway.uploadVideo(try TestVideo.digits).id) }
            let first = try await gateway.get("/v1/videos?limit=2").json()
            #expect((first["videos"] as? [[String: Any]])?.map(\.id) == [ids[2], ids[1]])
            let next = try #require(first["next"] as? String)
            let second = try await gateway.get("/v1/videos?limit=2&after=\(next)").json()
            #expect((second["videos"] as? [[String: Any]])?.map(\.id) == [ids[0]])
            #expect(second["next"] == nil)
            for bad in ["limit=0", "limit=x", "after=x", "limit=501", "what=1"] {
                #expect(try await gateway.get("/v1/videos?\(bad)").status == 400, "\(bad)")
            }
        }
    }
}
