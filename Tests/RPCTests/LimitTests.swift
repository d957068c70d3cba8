import Foundation
import HTTP2
import TestSupport
import Testing

@testable import RPC

@Suite struct LimitTests {
    @Test func tenLinesPassInASecondAndTheRestIsCounted() {
        var gate = LineGate()
        let first = (0..<15).map { _ in gate.pass(at: 5_000_000_000) }
        #expect(first == Array(repeating: 0, count: 10) + Array(repeating: nil, count: 5))
        #expect(gate.pass(at: 6_000_000_000) == 5)
        #expect(gate.pass(at: 6_000_000_001) == 0)
    }

    @Test func causesHaveGatesOfTheirOwn() {
        let gates = LineGates()
        let first = (0..<25).map { _ in gates.pass("a") }
        // A second may end meanwhile.
        #expect((10...20).contains(first.count { $0 != nil }))
        #expect(gates.pass("b") == 0)
        #expect(gates.pass(.unavailable) == 0)
    }

    @Test func textOfAPeerIsOneShortPrintableLine() {
        #expect(PeerText.escaped("GET /\r\n\u{1b}[31mü\\") == #"GET /\u{d}\u{a}\u{1b}[31m\u{fc}\u{5c}"#)
        #expect(PeerText.escaped(String(repeating: "x", count: 300)) == String(repeating: "x", count: 256) + "…")
    }

    @Test func noTwoReasonsShareALabel() {
        let labels = ConnectionLimit.allCases.map(\.rawValue) + CallLimit.allCases.map(\.rawValue)
        #expect(Set(labels).count == labels.count)
    }

    /// Those that refuse nothing, or are named there otherwise.
    private static let withoutReason: Set<String> = [
        // The shape of a policy; `retry_budget` bounds all of them.
        "maxAttempts",
        // What we do ourselves, and what our own caller may not do.
        "maxFrameBytes", "maxRequestBytes", "maxOutputBytes",
        // Of a session; `metadata` of a server or client.
        "maxHeaderFields", "maxHeaderListBytes",
        // An old connection drains.
        "maxAge", "maxIdle",
    ]

    /// So that no limit is made without a reason to count.
    @Test func theDocumentNamesEveryLimitOfAConfiguration() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/limits.md"), encoding: .utf8)
        var found: Set<String> = []
        for folder in ["Sources/RPC", "Sources/HTTP2", "Sources/Mesh"] {
            let files = try #require(FileManager.default.enumerator(atPath: root.appending(path: folder).path))
            for case let file as String in files where file.hasSuffix(".swift") {
                let source = try String(contentsOf: root.appending(path: folder).appending(path: file), encoding: .utf8)
                for match in source.matches(of: /public var (max[A-Z]\w*)/) { found.insert(String(match.1)) }
            }
        }
        #expect(found.count > 10)
        for name in found.subtracting(Self.withoutReason).sorted() {
            #expect(text.contains("`\(name)`") || text.contains(".\(name)`"), "docs/limits.md does not name \(name)")
        }
    }

    @Test func theDocumentListsEveryReason() throws {
        let listed = try DocumentTable.all(of: "limits.md").flatMap { $0.words(in: "reason") }
        let known = ConnectionLimit.allCases.map(\.rawValue) + CallLimit.allCases.map(\.rawValue)
        #expect(listed.sorted() == known.sorted())
    }
}
