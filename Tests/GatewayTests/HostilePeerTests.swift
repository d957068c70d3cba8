import Foundation
import NIOCore
import Testing

@testable import Gateway

/// Peers that mean harm, over raw sockets: each gets the answer that is specified, or is cut off, and the next one is
/// served as before.
@Suite struct HostilePeerTests {
    /// What the peer heard, once the gateway has closed the connection; then another client is served.
    private static func heard(
        _ pieces: [String], configure: (inout GatewayConfiguration) throws -> Void = { _ in }
    ) async throws -> String {
        try await TestGateway.with(configure: configure) { gateway in
            let peer = try await RawPeer.connect(to: gateway.address)
            for piece in pieces {
                guard await peer.send(piece) else { break }
            }
            let text = try await peer.untilClosed()
            #expect(try await gateway.get("/healthz").status == 200)
            return text
        }
    }

    private static let post = "POST /v1/images:analyze HTTP/1.1\r\nHost: localhost\r\n"

    @Test func aHeaderThatNeverEndsIsCutOff() async throws {
        let text = try await Self.heard(["GET / HTTP/1.1\r\nHost: localhost\r\nX-A: "]) {
            $0.limits.connections.headerTimeout = .milliseconds(100)
        }
        #expect(text.isEmpty)
    }

    @Test func aBodyThatNeverComesIsCutOff() async throws {
        let text = try await TestGateway.with(mesh: .ofPictures) {
            $0.limits.connections.uploadGrace = .milliseconds(100)
        } _: { gateway in
            let peer = try await RawPeer.connect(to: gateway.address)
            await peer.send(Self.post + "Content-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\nabc")
            return try await peer.untilClosed()
        }
        #expect(!text.hasPrefix("HTTP/1.1 200"))
    }

    @Test(arguments: [
        "X-A: " + String(repeating: "x", count: 1 << 20), String(repeating: "X-A: 1\r\n", count: 10_000),
    ])
    func aHeaderThatIsTooLargeIsRefused(_ header: String) async throws {
        let text = try await Self.heard(["GET / HTTP/1.1\r\nHost: localhost\r\n\(header)\r\n\r\n"])
        #expect(text.isEmpty || text.hasPrefix("HTTP/1.1 400"), "\(text.prefix(80))")
    }

    @Test func aRequestLineThatIsTooLongIsRefused() async throws {
        let text = try await Self.heard(["GET /\(String(repeating: "a", count: 1 << 20)) HTTP/1.1\r\n\r\n"])
        #expect(text.isEmpty || text.hasPrefix("HTTP/1.1 400"), "\(text.prefix(80))")
    }

    /// What two readers could take for two different requests is none.
    @Test(arguments: [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "Content-Length: +5\r\n\r\nhello", "Content-Length: 5, 5\r\n\r\nhello", "Content-Length: -1\r\n\r\n",
        "Content-Length: 99999999999999999999\r\n\r\n", "Transfer-Encoding: gzip, chunked, gzip\r\n\r\n",
        "X-A: 1\r\n folded\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-1\r\n", "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "Bad Name: 1\r\n\r\n",
        "X-A: 1\nX-B: 2\r\n\r\n", "Content-Length: 3\n\nabc", "X-A: 1\rX-B: 2\r\n\r\n",
    ])
    func whatCouldBeReadInTwoWaysIsRefusedAndTheConnectionClosed(_ rest: String) async throws {
        let text = try await Self.heard([Self.post + "Content-Type: image/jpeg\r\n" + rest])
        #expect(!text.contains("HTTP/1.1 2"), "\(text.prefix(200))")
        #expect(text.components(separatedBy: "HTTP/1.1 ").count <= 2, "one answer at most")
    }

    @Test func aBodyThatIsTooLargeByItsOwnWordIsRefusedBeforeItIsRead() async throws {
        try await TestGateway.with(mesh: .ofPictures) {
            $0.limits.pictures.maxPictureBytes = 1000
        } _: { gateway in
            let peer = try await RawPeer.connect(to: gateway.address)
            await peer.send(
                Self.post + "Content-Type: image/jpeg\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n")
            let text = try await peer.untilClosed()
            #expect(text.hasPrefix("HTTP/1.1 413") && !text.contains("100 Continue"))
            #expect(text.contains("\"limit_name\":\"max-picture-bytes\"") && text.contains("\"limit\":1000"))
            #expect(text.lowercased().contains("connection: close"))
        }
    }

    @Test func aBodyThatGrowsBeyondTheLimitIsRefusedOnTheWay() async throws {
        try await TestGateway.with(mesh: .ofPictures) {
            $0.limits.pictures.maxPictureBytes = 1000
        } _: { gateway in
            let peer = try await RawPeer.connect(to: gateway.address)
            await peer.send(Self.post + "Content-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = "100\r\n" + String(repeating: "x", count: 256) + "\r\n"
            for _ in 0..<10_000 {
                guard await peer.send(chunk), peer.isOpen else { break }
            }
            #expect(try await peer.untilClosed().hasPrefix("HTTP/1.1 413"))
        }
    }

    @Test func whoAsksWhetherToSendIsToldToGoOn() async throws {
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            let peer = try await RawPeer.connect(to: gateway.address)
            await peer.send(Self.post + "Content-Type: image/jpeg\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
            try await peer.until("HTTP/1.1 100")
            await peer.send("abc")
            // No picture; a mesh that other tests keep busy says that first.
            try await peer.until("\r\n\r\nHTTP/1.1 4")
            peer.close()
        }
    }

    @Test func aFloodOfOneByteChunksIsABodyAndAFloodOfExtensionsIsNone() async throws {
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            let peer = try await RawPeer.connect(to: gateway.address)
            await peer.send(Self.post + "Content-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<65 { await peer.send(String(repeating: "1\r\nx\r\n", count: 1024)) }
            await peer.send("0\r\n\r\n")
            try await peer.until("HTTP/1.1 422")
            peer.close()
            let other = try await RawPeer.connect(to: gateway.address)
            await other.send(Self.post + "Content-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n1;")
            for _ in 0..<64 {
                guard await other.send(String(repeating: "e", count: 16 << 10)), other.isOpen else { break }
            }
            #expect(try await !other.untilClosed().hasPrefix("HTTP/1.1 2"))
        }
    }

    @Test func aCodedBodyIsRefusedUnread() async throws {
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            let answer = try await gateway.post(
                "/v1/images:analyze", Data(repeating: 0, count: 1000), type: "image/jpeg",
                headers: ["Content-Encoding": "gzip"])
            #expect(answer.status == 415)
            #expect(try answer.json()["field"] as? String == "Content-Encoding")
        }
    }

    @Test func moreConnectionsThanTheLimitAreClosedAtOnce() async throws {
        try await TestGateway.with {
            $0.limits.connections.maxConnectionsPerAddress = 2
        } _: { gateway in
            let first = try await RawPeer.connect(to: gateway.address)
            let second = try await RawPeer.connect(to: gateway.address)
            // Both are counted once they are answered.
            for peer in [first, second] {
                await peer.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                try await peer.until("HTTP/1.1 200")
            }
            let third = try await RawPeer.connect(to: gateway.address)
            #expect(try await third.untilClosed().isEmpty)
            first.close()
            second.close()
        }
    }

    /// The answer comes while the parts are still on their way, which not every client reads.
    @Test func morePartsThanTheLimitAreRefused() async throws {
        let part = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\n\r\n"
        let body = String(repeating: part, count: 100_000) + "--b--"
        let head = "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        let text = try await TestGateway.with(mesh: .ofPictures) { gateway in
            let peer = try await RawPeer.connect(to: gateway.address)
            await peer.send(Self.post + head + body)
            return try await peer.untilClosed()
        }
        #expect(text.hasPrefix("HTTP/1.1 413"), "\(text.prefix(80))")
        #expect(text.contains(#""limit_name":"max-pictures""#), "\(text.suffix(300))")
    }

    @Test func picturesOfOthersThatFillTheMemoryAreNoFault() async throws {
        try await TestGateway.with(mesh: .ofPictures) {
            $0.limits.pictures.maxUploadMemory = 10
            $0.limits.rate.share = 1
        } _: { gateway in
            let answer = try await gateway.post("/v1/images:analyze", Data(repeating: 1, count: 11), type: "image/jpeg")
            #expect(answer.status == 429 && answer.headers["retry-after"] == "1")
            #expect(try answer.json()["limit_name"] as? String == "max-upload-memory")
            // What was refused has given back what it had.
            #expect(
                try await gateway.post("/v1/images:analyze", Data(repeating: 1, count: 10), type: nil).status == 422)
        }
    }
}
