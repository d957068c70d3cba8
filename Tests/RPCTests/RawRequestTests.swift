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
        answer = try await Self.ask([":method": "GET", ":path": "/"])
        #expect(answer[":status"] == "200")
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
        ([1, 0, 0, 0, 0], "13"), ([0, 0xff, 0xff, 0xff, 0xff], "8"),
    ])
    func brokenBodiesHaveAStatus(_ body: [UInt8], _ status: String) async throws {
        let answer = try await Self.ask([:], body: body)
        #expect(answer["grpc-status"] == status)
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
        let seen = Signal()
        let reasons = Mutex<[StatusCode?]>([])
        let handler = RPCHandler.stream { _, requests, _ in
            defer { seen.fire() }
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
            await seen.wait()
        }
        // The end of its stream may come before the handler has seen why.
        #expect(reasons.withLock { $0 == [.resourceExhausted] || $0 == [.cancelled] })
    }
}
