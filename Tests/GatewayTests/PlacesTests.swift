import Foundation
import HTTPTypes
import NIOCore
import RPC
import TestSupport
import Testing

@testable import Gateway

/// What one caller may take of what there is for all.
@Suite struct PlacesTests {
    private static func problem(_ body: () throws -> Void) throws -> Problem {
        try #require(#expect(throws: Problem.self, performing: body))
    }

    @Test func allPlacesAreTakenByNobodyAlone() throws {
        let places = Places(4, "max-things", of: "things", share: 0.75)
        let mine = try (0..<3).map { _ in try places.take(for: .name("a")) }
        let excess = try Self.problem { _ = try places.take(for: .name("a")) }
        #expect(excess.status == .tooManyRequests && excess.limit?.name == "caller-share")
        let other = try places.take(for: .name("b"))
        let full = try Self.problem { _ = try places.take(for: .name("c")) }
        #expect(full.status == .tooManyRequests && full.limit?.name == "max-things" && full.limit?.value == 4)
        #expect(full.headers[.retryAfter] == "1")
        #expect(places.taken == 4)
        withExtendedLifetime((mine, other)) {}
    }

    @Test func aPlaceIsFreeWhenItsHolderIsGone() throws {
        let places = Places(10, "max-bytes", of: "bytes", share: 1)
        do {
            let place = try places.take(0, for: .name("a"))
            try place.add(6)
            _ = try Self.problem { try place.add(5) }
            #expect(places.taken == 6, "what was refused is not counted")
            try place.add(4)
        }
        #expect(places.taken == 0)
        #expect(throws: Never.self) { try places.take(10, for: .name("a")) }
    }

    @Test func evenTheSmallestShareIsOne() {
        #expect(Places.Share(part: 0.01).places(of: 1) == 1)
        #expect(Places.Share(part: 0.75).places(of: 2) == 2)
        #expect(Places.Share(part: 0.5).places(of: 16) == 8)
    }

    // MARK: Over HTTP

    private static let post = "POST /v1/images:analyze HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"

    /// Answers of `send` until one is as wanted: how far another peer's bytes have come is not to be seen otherwise.
    private static func until(
        _ status: Int, _ send: () async throws -> TestGateway.Answer
    ) async throws -> TestGateway.Answer {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            let answer = try await send()
            if answer.status == status { return answer }
            guard ContinuousClock.now < end else { throw Failure("not \(status) but \(answer.status): \(answer.text)") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// A peer that begins a request and does not end it, and the 429 that another request of its caller hears then. One that
    /// comes when the other one holds what it needs is refused itself, and begins again.
    private static func whileSlow(
        _ gateway: TestGateway, _ beginning: String, _ send: () async throws -> TestGateway.Answer
    ) async throws -> (slow: RawPeer, refused: TestGateway.Answer) {
        var slow = try await RawPeer.connect(to: gateway.address)
        await slow.send(beginning)
        let refused = try await until(429) {
            if !slow.isOpen || !slow.text.isEmpty {
                slow.close()
                slow = try await RawPeer.connect(to: gateway.address)
                await slow.send(beginning)
            }
            return try await send()
        }
        return (slow, refused)
    }

    @Test func aPictureOnItsWayHoldsNoPlaceOfThoseAtWork() async throws {
        let picture = try Place.demo("numbers-01.jpg")
        try await TestGateway.with(mesh: .ofPictures) {
            $0.limits.pictures.maxRunning = 1
        } _: { gateway in
            let slow = try await RawPeer.connect(to: gateway.address)
            await slow.send(Self.post + "Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
            try await slow.until("100 Continue")
            await slow.send("abc")
            let answer = try await gateway.post("/v1/images:analyze?pipeline=detect", picture, type: "image/jpeg")
            #expect(answer.status == 200, "\(answer.text)")
            slow.close()
        }
    }

    @Test func thePicturesOfAFormAreCountedEach() async throws {
        let boundary = "b0"
        var form = Data()
        for _ in 0..<8 {
            form += Data("--\(boundary)\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.jpg\"\r\n\r\n".utf8)
            form += try Place.demo("numbers-01.jpg") + Data("\r\n".utf8)
        }
        form += Data("--\(boundary)--\r\n".utf8)
        try await TestGateway.with(mesh: .ofPictures) {
            $0.limits.pictures.maxRunning = 1
        } _: { gateway in
            // Whether two of them meet is a matter of threads; that they never do, over and over, is not.
            let end = ContinuousClock.now + .seconds(60)
            while true {
                let answer = try await gateway.post(
                    "/v1/images:analyze?pipeline=detect", form, type: "multipart/form-data; boundary=\(boundary)")
                let results = try #require(try answer.json()["results"] as? [[String: Any]], "\(answer.text)")
                #expect(results.count == 8)
                let refused = results.compactMap { $0["error"] as? [String: Any] }
                for error in refused where error["status"] as? Int != 429 { Issue.record("\(error)") }
                if refused.contains(where: { $0["limit_name"] as? String == "max-running-pictures" }) { break }
                try #require(ContinuousClock.now < end)
            }
        }
    }

    private static let tokens = """
        token sha256:54a976f1f7ea57f6add41516b340083a827ac641daefa7ce4e5f13cc1f9351d8 ada analyze
        token sha256:90623e5477a896ff088b7223109b65c9f6931b8889a22170c72f733462dd3bac eve analyze
        """

    private static func bearer(_ name: String) -> [String: String] { ["Authorization": "Bearer \(name)-token"] }

    @Test func whoFillsItsShareOfTheMemoryLeavesTheRestToOthers() async throws {
        try await TestGateway.with(mesh: .ofPictures) {
            $0.limits.pictures.maxUploadMemory = 1000
            $0.limits.rate.share = 0.5
            $0.credentials = try Credentials(text: Self.tokens)
        } _: { gateway in
            func send(_ name: String, _ count: Int) async throws -> TestGateway.Answer {
                try await gateway.post(
                    "/v1/images:analyze?pipeline=detect", Data(repeating: 1, count: count), type: nil,
                    headers: Self.bearer(name))
            }
            let (slow, refused) = try await Self.whileSlow(
                gateway,
                Self.post + "Authorization: Bearer eve-token\r\nContent-Length: 500\r\n\r\n"
                    + String(repeating: "x", count: 400)
            ) { try await send("eve", 200) }
            #expect(try refused.json()["limit_name"] as? String == "caller-share")
            #expect(try await send("ada", 450).status == 422, "no picture, but it was taken")
            slow.close()
        }
    }

    @Test func whoFillsItsShareOfTheUploadsLeavesTheRestToOthers() async throws {
        try await TestGateway.with(mesh: .ofPictures) {
            $0.limits.videos.maxUploads = 2
            $0.limits.rate.share = 0.5
            $0.credentials = try Credentials(text: Self.tokens)
        } _: { gateway in
            func send(_ name: String) async throws -> TestGateway.Answer {
                try await gateway.post(
                    "/v1/videos?pipeline=detect", Data("no video".utf8), type: "video/mp4", headers: Self.bearer(name))
            }
            let (slow, refused) = try await Self.whileSlow(
                gateway,
                "POST /v1/videos?pipeline=detect HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer eve-token\r\n"
                    + "Content-Type: video/mp4\r\nContent-Length: 1000000\r\n\r\nabc"
            ) { try await send("eve") }
            #expect(try refused.json()["limit_name"] as? String == "caller-share")
            #expect(try await send("ada").status == 422, "no video, but it was taken")
            slow.close()
            _ = try await Self.until(422) { try await send("eve") }
        }
    }

    // MARK: Time

    @Test func aVideoMayBeginSlowlyButNotGoOnSo() throws {
        var limits = VideoJobLimits()
        limits.uploadTime = .seconds(100)
        limits.minUploadRate = 1000
        limits.uploadPatience = .seconds(10)
        var pace = UploadPace(limits)
        try pace.add(1, after: .seconds(10))
        // What our own disk takes in between is not counted: only what is said here is.
        try pace.add(10_999, after: .seconds(1))
        var tooSlow = pace
        let slow = try Self.problem { try tooSlow.add(999, after: .seconds(1)) }
        #expect(slow.status == .requestTimeout && slow.limit?.name == "min-video-upload-rate")
        try pace.add(1000, after: .seconds(1))
        let long = try Self.problem { try pace.add(1 << 40, after: .seconds(89)) }
        #expect(long.status == .requestTimeout && long.limit?.name == "video-upload-time")
    }

    @Test func aVideoThatComesTooSlowlyIsRefusedAndLeavesNothing() async throws {
        try await TestGateway.with(mesh: .ofPictures) {
            $0.limits.videos.uploadTime = .milliseconds(50)
        } _: { gateway in
            let folder = gateway.data.appending(path: "videos").path
            let peer = try await RawPeer.connect(to: gateway.address)
            await peer.send(
                "POST /v1/videos?pipeline=detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
            for _ in 0..<10_000 {
                guard peer.isOpen, peer.text.isEmpty, await peer.send("x") else { break }
                try await Task.sleep(for: .milliseconds(5))
            }
            let text = try await peer.untilClosed()
            #expect(text.hasPrefix("HTTP/1.1 408") && text.contains("video-upload-time"), "\(text.prefix(300))")
            #expect(try await (gateway.get("/v1/videos").json()["videos"] as? [Any])?.isEmpty == true)
            // The answer comes when the file is gone.
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
    }
}
