import HTTP2
import Testing

@testable import RPC

/// What is looked up by bytes on the way of each call.
@Suite struct MethodTableTests {
    @Test func methodsAreFoundByTheirWholePath() {
        var table = MethodTable()
        for name in ["Ab", "Ac", "Longer"] {
            let method = MethodDescription(service: "a.B", method: name)
            table.add(
                ServerMethod(.immediate { _, request in UnaryResponse(request) }, of: method, .init(), interceptors: [])
            )
        }
        func find(_ path: String) -> String? { table.find(path.utf8.span)?.path }
        #expect(find("/a.B/Ab") == "/a.B/Ab")
        #expect(find("/a.B/Ac") == "/a.B/Ac")
        #expect(find("/a.B/Longer") == "/a.B/Longer")
        for other in ["", "/", "/a.B/A", "/a.B/Ad", "/A.B/Ab", "/a.B/Longer/", "/a.B/Longe"] {
            #expect(find(other) == nil)
        }
    }

    @Test func bytesAreComparedToTheEnd() {
        func equal(_ a: String, _ b: [UInt8]) -> Bool { a.utf8.span.equals(b.span) && b.span.equals(text: a) }
        func hasPrefix(_ a: String, _ b: StaticString) -> Bool { a.utf8.span.hasPrefix(b) }
        let text = "0123456789abcdefghijklm"
        for length in 0...text.count {
            let part = String(text.prefix(length))
            #expect(equal(part, Array(part.utf8)))
            for index in 0..<length {
                var other = Array(part.utf8)
                other[index] ^= 1
                #expect(!equal(part, other))
            }
        }
        #expect(hasPrefix(text, "0123456789"))
        #expect(!hasPrefix("012", "0123"))
    }
}
