import Foundation
import NIOCore
import TestSupport
import Testing

@testable import Gateway

/// Connections on which requests and answers overlap, and peers that take their time, over raw sockets.
@Suite struct PipeliningTests {
    private static func get(_ path: String, _ more: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(more)\r\n"
    }

    @Test func requestsThatComeTogetherAreAnsweredInTheirOrder() async throws {
        try await TestGateway.with { gateway in
            let peer = try await RawPeer.connect(to: gateway.address)
            let post =
                "POST /v1/images:analyze?format=nonsense HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"
            await peer.send(Self.get("/healthz") + post + Self.get("/nothing", "Connection: close\r\n"))
            let text = try await peer.untilClosed()
            let statuses = text.components(separatedBy: "HTTP/1.1 ").dropFirst().map { $0.prefix(3) }
            #expect(statuses == ["200", "400", "404"], "\(text)")
        }
    }

    /// The first answer is written while the second request's body is on its way: only the second is answered early.
    @Test func anAnswerDoesNotEndTheConnectionForTheNextRequestsBody() async throws {
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            let picture = try Place.demo("numbers-01.jpg")
            let peer = try await RawPeer.connect(to: gateway.address)
            await peer.send(
                Self.get("/healthz")
                    + "POST /v1/images:analyze HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
                    + "Content-Length: \(picture.count)\r\n\r\n")
            try await peer.until("\"ok\"}")
            await peer.send(ByteBuffer(bytes: picture))
            try await peer.until("\"results\"")
            #expect(!peer.text.lowercased().contains("connection: close"))
            peer.close()
        }
    }

    @Test func anAnswerThatGoesOnBehindAnotherIsNotIdle() async throws {
        try await TestGateway.with(mesh: .ofPictures) {
            $0.limits.connections.idleTimeout = .milliseconds(200)
            $0.limits.events.keepAlive = .milliseconds(100)
        } _: { gateway in
            let stream = try await gateway.post(
                "/v1/streams", Data(#"{"source":{"push":true},"pipeline":"detect"}"#.utf8), type: "application/json"
            ).json()
            let peer = try await RawPeer.connect(to: gateway.address)
            await peer.send(Self.get("/healthz") + Self.get("/v1/streams/\(stream.id)/events"))
            let end = ContinuousClock.now + .seconds(60)
            // Far beyond the limit.
            while peer.text.components(separatedBy: ": keep-alive").count < 20, ContinuousClock.now < end {
                try #require(peer.isOpen, "the connection was ended: \(peer.text.suffix(200))")
                try await Task.sleep(for: .milliseconds(10))
            }
            peer.close()
        }
    }

    /// A page with one file that is far more than sockets hold.
    private static func large(in folder: URL) throws -> String {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data().write(to: folder.appending(path: "index.html"))
        try Data(repeating: UInt8(ascii: "x"), count: 15 << 20).write(to: folder.appending(path: "large.txt"))
        return folder.path
    }

    private static func withLargeFile(_ outputTimeout: Duration, _ body: (TestGateway) async throws -> Void)
        async throws
    {
        let folder = FileManager.default.temporaryDirectory.appending(path: "page-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try await TestGateway.with {
            $0.page = try large(in: folder)
            $0.limits.connections.outputTimeout = outputTimeout
        } _: {
            try await body($0)
        }
    }

    @Test func whoReadsALargeAnswerSlowlyGetsAllOfIt() async throws {
        let timeout = Duration.seconds(4)
        try await Self.withLargeFile(timeout) { gateway in
            let peer = try await RawPeer.connect(to: gateway.address, receives: false, receiveBuffer: 64 << 10)
            await peer.send(Self.get("/page/large.txt", "Connection: close\r\n"))
            let begin = ContinuousClock.now
            while peer.isOpen, peer.count < 10 << 20 {
                peer.readOnce()
                // The answer takes three times as long as a peer that takes nothing has.
                let due = begin + timeout * 3 * (Double(peer.count) / Double(10 << 20))
                try await Task.sleep(until: max(due, .now + .milliseconds(1)), clock: .continuous)
            }
            #expect(begin.duration(to: .now) > timeout * 2)
            peer.receiveAll()
            _ = try await peer.untilClosed()
            #expect(peer.count > 15 << 20)
        }
    }

    @Test func whoTakesNothingIsCutOff() async throws {
        try await Self.withLargeFile(.milliseconds(200)) { gateway in
            let peer = try await RawPeer.connect(to: gateway.address, receives: false)
            await peer.send(Self.get("/page/large.txt"))
            let end = ContinuousClock.now + .seconds(60)
            let line = #"http_refused_total{limit="output-timeout"} 1"#
            while try await !gateway.get("/metrics").text.contains(line) {
                try #require(ContinuousClock.now < end)
                try await Task.sleep(for: .milliseconds(20))
            }
            peer.close()
        }
    }
}
