import Foundation
import HTTP2
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

    @Test func textOfAPeerIsOneShortPrintableLine() {
        #expect(PeerText.escaped("GET /\r\n\u{1b}[31mü\\") == #"GET /\u{d}\u{a}\u{1b}[31m\u{fc}\u{5c}"#)
        #expect(PeerText.escaped(String(repeating: "x", count: 300)) == String(repeating: "x", count: 256) + "…")
    }

    @Test func noTwoReasonsShareALabel() {
        let labels = ConnectionLimit.allCases.map(\.rawValue) + CallLimit.allCases.map(\.rawValue)
        #expect(Set(labels).count == labels.count)
    }

    /// The rows of docs/limits.md begin with the reason, in backquotes.
    @Test func theDocumentListsEveryReason() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/limits.md"), encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }
        let listed = rows.compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
        let known = ConnectionLimit.allCases.map(\.rawValue) + CallLimit.allCases.map(\.rawValue)
        #expect(Set(listed) == Set(known))
    }
}
