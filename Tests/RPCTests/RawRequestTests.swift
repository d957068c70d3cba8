import HTTP2
import NIOCore
import Synchronization
import Testing

@testable import RPC

/// What requests that no gRPC client sends are answered with.
@Suite(.timeLimit(.minutes(5))) struct RawRequestTests {
    static func ask(
        _ changes: [String: String], body: [UInt8] = [], server: ServerConfiguration = .init()
    ) async throws -> [String: String] {
        var answer: [String: String] = [:]
        try await Loopback.serving(["Echo": .unary { _, payload in UnaryResponse(payload) }], server: server) {
            server in
            var fields = RawClient.head("/test.Service/Echo").map { HeaderField($0.name, changes[$0.name] ?? $0.value) }
            let known = Set(fields.map(\.name))
            for (name, value) in changes.sorted(by: { $0.key < $1.key }) where !known.contains(name) {
                fields.append(HeaderField(name, value))
            }
            answer = try await RawClient.request(to: server.address, fields, body: ByteBuffer(bytes: body))
        }
        return answer
    }

    @Test func whatIsNotGRPCGetsAnHTTPStatus() async throws {
        var answer = try await Self.ask(["content-type": "application/json"])
        #expect(answer[":status"] == "415")
        answer = try await Self.ask([":method": "PUT"])
        #expect(answer[":status"] == "405")
        #expect(answer["allow"] == "POST")
        answer = try await Self.ask([":method": "GET", ":path": "/"])
        #expect(answer[":status"] == "200")
    }

    @Test func headIsAnsweredAsGetWithoutABody() async throws {
        var answer = try await Self.ask([":method": "HEAD", ":path": "/"])
        #expect(answer[":status"] == "200")
        #expect(answer["content-length"] == "20")
        #expect(answer["body"] == nil)
        answer = try await Self.ask([":method": "HEAD"])
        #expect(answer[":status"] == "405")
        #expect(answer["body"] == nil)
        answer = try await Self.ask([":method": "GET", ":path": "/"])
        #expect(answer["body"] == "gRPC is served here\n")
    }

    @Test func anEmptyMessageIsAnswered() async throws {
        let answer = try await Self.ask([:], body: [0, 0, 0, 0, 0])
        #expect(answer[":status"] == "200")
        #expect(answer["content-type"] == "application/grpc")
        #expect(answer["grpc-status"] == "0")
        #expect(answer["framemesh-framing"] == nil)
    }

    @Test func theFramingIsAnnouncedWhereItIsTaken() async throws {
        let answer = try await Self.ask([:], body: [0, 0, 0, 0, 0], server: .attaching)
        #expect(answer["framemesh-framing"] == "attachments/1; node-1")
    }

    @Test(arguments: [
        ([UInt8(0), 0, 0, 0, 9, 1], "13"), ([], "13"), ([0x80, 0, 0, 0, 0, 0, 0, 0, 0], "13"),
        ([1, 0, 0, 0, 0], "13"), ([2, 0, 0, 0, 0], "13"), ([0xff, 0, 0, 0, 0], "13"), ([0, 0, 0], "13"),
        ([0, 0, 0, 0, 0, 0], "13"), ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "13"),
        ([0, 0xff, 0xff, 0xff, 0xff], "8"), ([0, 0, 0x40, 0, 1], "8"),
    ])
    func brokenBodiesHaveAStatus(_ body: [UInt8], _ status: String) async throws {
        let answer = try await Self.ask([:], body: body)
        #expect(answer["grpc-status"] == status)
    }

    @Test(arguments: [
        ("", "13"), ("1", "13"), ("1X", "13"), ("-1S", "13"), ("123456789S", "13"), ("1 S", "13"), ("S", "13"),
        ("99999999H", "0"), ("60S", "0"), ("1M", "0"), ("60000m", "0"), ("60000000u", "0"), ("0n", "4"), ("0H", "4"),
    ])
    func aTimeoutIsRead(_ timeout: String, _ status: String) async throws {
        let answer = try await Self.ask(["grpc-timeout": timeout], body: [0, 0, 0, 0, 0])
        #expect(answer["grpc-status"] == status)
    }

    @Test func aCallWhoseTimeIsOverNeverRuns() async throws {
        let hasRun = Counter()
        let handler = RPCHandler.immediate { _, request in
            hasRun.add()
            return UnaryResponse(request)
        }
        try await Loopback.serving(["Echo": handler]) { server in
            let answer = try await RawClient.request(
                to: server.address, RawClient.head("/test.Service/Echo") + [HeaderField("grpc-timeout", "0S")],
                body: ByteBuffer(bytes: [0, 0, 0, 0, 0]))
            #expect(answer["grpc-status"] == "4")
        }
        #expect(hasRun.value == 0)
    }

    @Test(arguments: ["application/grpcfoo", "application/grp", "application/jsongrpc", ""])
    func otherContentTypesAreRefused(_ contentType: String) async throws {
        let answer = try await Self.ask(["content-type": contentType], body: [0, 0, 0, 0, 0])
        #expect(answer[":status"] == "415")
    }

    @Test(arguments: ["application/grpc+proto", "application/grpc;charset=utf-8", "application/grpc+json"])
    func subtypesOfGRPCAreTaken(_ contentType: String) async throws {
        let answer = try await Self.ask(["content-type": contentType], body: [0, 0, 0, 0, 0])
        #expect(answer["grpc-status"] == "0")
    }

    @Test(arguments: [
        "/test.Service/echo", "//test.Service/Echo", "/test.Service/../test.Service/Echo", "/test.Service%2fEcho",
        "/test.Service/Echo/", "/test.Service/Echo?a=b", "/", "/*",
    ])
    func onlyThePathOfAMethodIsAMethod(_ path: String) async throws {
        let answer = try await Self.ask([":path": path], body: [0, 0, 0, 0, 0])
        #expect(answer["grpc-status"] == "12")
    }

    @Test func aPathAsLongAsMetadataMayBeIsAnswered() async throws {
        let answer = try await Self.ask([":path": "/" + String(repeating: "a", count: 16 << 10)])
        #expect(answer["grpc-status"] == "8")
    }

    @Test(arguments: ["trailers", "", "gzip", "trailers, deflate"])
    func teSaysNothing(_ te: String) async throws {
        let answer = try await Self.ask(["te": te], body: [0, 0, 0, 0, 0])
        // nghttp2 may refuse what RFC 9113, section 8.2.2 forbids; then there is no answer.
        #expect(answer["grpc-status"] == "0" || answer.isEmpty)
    }

    @Test func reservedMetadataIsStripped() async throws {
        let seen = Mutex<[String]>([])
        let handler = RPCHandler.immediate { context, request in
            seen.withLock { $0 = context.metadata.map(\.key) }
            return UnaryResponse(request)
        }
        try await Loopback.serving(["Echo": handler]) { server in
            let extra = ["grpc-status", "grpc-message", "grpc-encoding-x", "framemesh-framing", "x-mine", "user-agent"]
            let answer = try await RawClient.request(
                to: server.address, RawClient.head("/test.Service/Echo") + extra.map { HeaderField($0, "5") },
                body: ByteBuffer(bytes: [0, 0, 0, 0, 0]))
            #expect(answer["grpc-status"] == "0")
        }
        #expect(seen.withLock { $0 } == ["x-mine", "user-agent"])
    }

    @Test func bytesThatAreNotBase64FailTheirCallOnly() async throws {
        let answer = try await Self.ask(["x-trace-bin": "A*=="], body: [0, 0, 0, 0, 0])
        #expect(answer["grpc-status"] == "13")
        #expect(answer["grpc-message"] == "metadata 'x-trace-bin' is not base64")
    }

    @Test func tooMuchMetadataIsRefused() async throws {
        var many: [String: String] = [:]
        for number in 0..<200 { many["x-field-\(number)"] = "v" }
        var answer = try await Self.ask(many, body: [0, 0, 0, 0, 0])
        #expect(answer["grpc-status"] == "8")
        answer = try await Self.ask(["x-long": String(repeating: "v", count: 20_000)], body: [0, 0, 0, 0, 0])
        #expect(answer["grpc-status"] == "8")
    }

    @Test func tooLargeTrailersEndTheCallThatRuns() async throws {
        let reasons = Mutex<[StatusCode?]>([])
        let handler = RPCHandler.stream { _, requests, _ in
            do { for try await _ in requests {} } catch {
                reasons.withLock { $0.append((error as? RPCError)?.code) }
                throw error
            }
        }
        try await Loopback.serving(["Read": handler]) { server in
            let answer = try await RawClient.request(
                to: server.address, RawClient.head("/test.Service/Read"), body: ByteBuffer(bytes: [0, 0, 0, 0, 0]),
                trailers: [HeaderField("x-long", String(repeating: "v", count: 20_000))])
            #expect(answer["grpc-status"] == "8")
        }
        // Every handler has ended. The end of its stream may come before it has seen why, or before it has begun.
        #expect(reasons.withLock { $0 == [.resourceExhausted] || $0 == [.cancelled] || $0.isEmpty })
    }
}
