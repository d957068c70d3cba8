import HTTP2
import Testing

@testable import RPC

/// Heads are understood in the same way whatever came before them.
@Suite struct RequestMemoTests {
    private var methods = MethodTable()
    private var memo = RequestMemo()

    init() {
        for name in ["C", "D"] {
            let method = MethodDescription(service: "a.B", method: name)
            methods.add(
                ServerMethod(.immediate { _, request in UnaryResponse(request) }, of: method, .init(), interceptors: [])
            )
        }
    }

    private static func text(_ verdict: RequestHead.Verdict) -> String {
        switch verdict {
        case .call(let head):
            "\(head.method?.path ?? "-") \(head.timeout.map { "\($0)" } ?? "-") \(head.takesAttachments) \(head.encoding ?? "-") \(head.acceptedEncodings ?? "-") \(Array(head.metadata))"
        case .http(let answer): "http \(answer.status)"
        case .refused(let error): "refused \(error.message)"
        }
    }

    private mutating func expectTheSame(_ fields: [(String, String)]) {
        let fields = HeaderFields(fields.map { HeaderField($0.0, $0.1) })
        #expect(
            Self.text(memo.judge(fields, methods, maxMetadata: 128))
                == Self.text(RequestHead.judge(fields, methods, maxMetadata: 128)))
    }

    private static func head(_ own: [(String, String)], path: String = "/a.B/C") -> [(String, String)] {
        [(":method", "POST"), (":path", path), ("content-type", "application/grpc")] + own
    }

    @Test mutating func metadataIsThatOfTheRequest() {
        let requests: [[(String, String)]] = [
            [], [("user-agent", "x")], [("user-agent", "x")], [("user-agent", "y")], [("a", "bc")], [("ab", "c")],
            [("a", "bc"), ("a", "bc")], [], [("a", String(repeating: "z", count: 4000))], [("a", "bc")],
            [("k-bin", "AAE")], [("k-bin", "!")], [("k-bin", "AAE")],
        ]
        for request in requests { expectTheSame(Self.head(request)) }
    }

    @Test mutating func onlyTheTimeMayDiffer() {
        let requests: [[(String, String)]] = [
            [("grpc-timeout", "1S"), ("a", "b")], [("grpc-timeout", "2S"), ("a", "b")],
            [("grpc-timeout", "99999999u"), ("a", "b")], [("grpc-timeout", "3S"), ("a", "c")],
            [("grpc-timeout", "1X"), ("a", "b")], [("grpc-timeour", "4S"), ("a", "b")],
            [("grpc-timeout", "1S"), ("grpc-timeout", "2S")], [("grpc-timeout", "5S"), ("grpc-timeout", "2S")],
            [("grpc-timeout", "5S"), ("grpc-timeout", "7S")], [("grpc-timeout", "5S")], [("a", "b")],
        ]
        for request in requests { expectTheSame(Self.head(request)) }
    }

    @Test mutating func pathsAreNotMixedUp() {
        let paths = ["/a.B/C", "/a.B/D", "/a.B/E", "/a.B/C", "/a.B/D", "/"]
        for path in paths { expectTheSame(Self.head([], path: path)) }
        for number in 0..<20 {
            expectTheSame(Self.head([("a", "\(number)")], path: paths[number % 2]))
            expectTheSame(Self.head([("a", "\(number / 2)")], path: paths[0]))
        }
        expectTheSame([(":method", "GET"), (":path", "/a.B/C"), ("content-type", "application/grpc")])
        expectTheSame([(":method", "POST"), (":path", "/a.B/C"), ("content-type", "application/json")])
    }
}
