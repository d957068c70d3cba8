import HTTP2
import Testing

@testable import RPC

/// What heads say, without a network.
@Suite struct HeadTests {
    static func request(_ changes: [String: String?] = [:]) -> [HeaderField] {
        var fields: [String: String] = [":method": "POST", ":path": "/a.B/C", "content-type": "application/grpc"]
        for (name, value) in changes { fields[name] = value }
        return fields.sorted { $0.key < $1.key }.map { HeaderField($0.key, $0.value) }
    }

    static func verdict(_ changes: [String: String?]) -> String {
        let fields = HeaderFields(request(changes))
        return switch RequestHead.judge(fields, MethodTable(), maxMetadata: 128) {
        case .call(let head):
            "call \(head.path(of: fields)) \(head.timeout.map { "\($0)" } ?? "-") \(head.takesAttachments)"
        case .http(let answer): "http \(answer.status)"
        case .refused(let error): "refused \(error.code)"
        }
    }

    @Test func requestsAreJudged() {
        #expect(Self.verdict([:]) == "call /a.B/C - false")
        #expect(Self.verdict(["content-type": "application/grpc+proto"]) == "call /a.B/C - false")
        #expect(Self.verdict(["content-type": "application/grpc;x=y"]) == "call /a.B/C - false")
        #expect(Self.verdict(["content-type": "application/grpc+framemesh"]) == "call /a.B/C - true")
        #expect(Self.verdict(["grpc-timeout": "250m"]) == "call /a.B/C 0.25 seconds false")
        #expect(Self.verdict(["grpc-timeout": "1X"]) == "refused INTERNAL")
        #expect(Self.verdict(["content-type": "application/grpcfoo"]) == "http 415")
        #expect(Self.verdict(["content-type": "application/json"]) == "http 415")
        #expect(Self.verdict(["content-type": nil]) == "http 415")
        #expect(Self.verdict([":method": "GET"]) == "http 405")
        #expect(Self.verdict([":method": "GET", ":path": "/"]) == "http 200")
    }

    @Test func trailersSayTheStatus() {
        func status(_ fields: [(String, String)]) -> RPCError? {
            CallStatus(trailers: fields.map { HeaderField($0.0, $0.1) }, maxMetadata: 128).error
        }
        #expect(status([("grpc-status", "0")]) == nil)
        #expect(status([("grpc-status", "5"), ("grpc-message", "no%20box")])?.message == "no box")
        #expect(status([("grpc-status", "5")])?.code == .notFound)
        for nonsense in ["999", "-1", "", "x"] { #expect(status([("grpc-status", nonsense)])?.code == .unknown) }
        #expect(status([])?.code == .unknown)
    }

    @Test func answersThatAreNotGRPCHaveAStatusToo() {
        func code(_ status: String, _ type: String = "application/grpc") -> StatusCode? {
            CallStatus.trouble(
                withHead: [HeaderField(":status", status), HeaderField("content-type", type)], maxMetadata: 16)?.code
        }
        #expect(code("200") == nil)
        #expect(code("200", "text/html") == .unknown)
        #expect(code("503") == .unavailable)
        #expect(code("404") == .unimplemented)
    }
}
