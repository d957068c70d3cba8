import NIOCore
import NIOPosix
import Testing

@testable import Telemetry

@Suite struct MetricsServerTests {
    private static let group = MultiThreadedEventLoopGroup.singleton

    private static func serving(
        _ limits: MetricsServer.Limits = .init(), _ body: (SocketAddress) async throws -> Void
    ) async throws {
        let server = try await MetricsServer.start(
            host: "127.0.0.1", port: 0, limits: limits, group: group, text: { "frames_total 3\n" })
        try await body(try #require(server.address))
        await server.stop()
    }

    /// All that comes back for `request`, until the server ends the connection.
    private static func answer(to request: String, of address: SocketAddress) async throws -> String {
        let channel = try await ClientBootstrap(group: group).connect(to: address) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: request))
            var text = ""
            do {
                for try await bytes in inbound { text += String(buffer: bytes) }
            } catch is IOError {
                // Reset: what came before it counts.
            }
            return text
        }
    }

    private static func request(_ line: String, more: String = "") -> String {
        "\(line) HTTP/1.1\r\nHost: localhost\r\n\(more)\r\n"
    }

    @Test func prometheusGetsTheTextAndTheConnectionEnds() async throws {
        try await Self.serving { address in
            let answer = try await Self.answer(to: Self.request("GET /metrics?name=a"), of: address)
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.contains("content-type: text/plain; version=0.0.4"))
            #expect(answer.hasSuffix("\r\n\r\nframes_total 3\n"))
        }
    }

    @Test(arguments: [("GET /", "404"), ("POST /metrics", "405"), ("GET /metrics/x", "404")])
    func nothingElseIsThere(_ line: String, _ status: String) async throws {
        try await Self.serving { address in
            let answer = try await Self.answer(to: Self.request(line), of: address)
            #expect(answer.hasPrefix("HTTP/1.1 \(status)"))
            #expect(!answer.contains("frames_total"))
        }
    }

    @Test func aHeadHasTheLengthAndNoBody() async throws {
        try await Self.serving { address in
            let answer = try await Self.answer(to: Self.request("HEAD /metrics"), of: address)
            #expect(answer.contains("content-length: 15\r\n") && answer.hasSuffix("\r\n\r\n"))
        }
    }

    @Test(arguments: ["\u{16}\u{3}\u{1} this is no HTTP\r\n\r\n", "GET /metrics HTTP/1.1\r\nno colon\r\n\r\n"])
    func whatIsNoHTTPGetsNoMetrics(_ bytes: String) async throws {
        try await Self.serving { address in
            let answer = try await Self.answer(to: bytes, of: address)
            #expect(!answer.contains("frames_total"))
        }
    }

    @Test func aRequestThatDoesNotEndIsCut() async throws {
        var limits = MetricsServer.Limits()
        limits.requestBytes = 1000
        try await Self.serving(limits) { address in
            let long = Self.request("GET /metrics", more: "X: \(String(repeating: "x", count: 2000))\r\n")
            let answer = try await Self.answer(to: long, of: address)
            #expect(!answer.contains("frames_total"))
        }
    }

    @Test func aConnectionThatSaysNothingIsCut() async throws {
        var limits = MetricsServer.Limits()
        limits.connectionTime = .milliseconds(50)
        try await Self.serving(limits) { address in
            let answer = try await Self.answer(to: "GET", of: address)
            #expect(answer == "")
        }
    }

    @Test func connectionsBeyondTheLimitAreClosed() async throws {
        var limits = MetricsServer.Limits()
        limits.connections = 0
        try await Self.serving(limits) { address in
            let answer = try? await Self.answer(to: Self.request("GET /metrics"), of: address)
            #expect(answer ?? "" == "")
        }
    }
}
