import RPC
import Testing

@testable import Traces

/// W3C Trace Context, level 1.
@Suite struct TraceContextTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let span = "00f067aa0ba902b7"

    private static func parse(_ parents: String..., states: [String] = []) -> TraceContext? {
        TraceContext(parents: parents, states: states)
    }

    @Test(arguments: [("01", true), ("00", false), ("03", true), ("fe", false), ("ff", true)])
    func aParentIsReadAndWritten(_ flags: String, _ isSampled: Bool) throws {
        let context = try #require(Self.parse("00-\(Self.trace)-\(Self.span)-\(flags)"))
        #expect(context.trace.text == Self.trace)
        #expect(context.span.text == Self.span)
        #expect(context.isSampled == isSampled)
        // Flags that we do not know are not handed on.
        #expect(context.parent == "00-\(Self.trace)-\(Self.span)-\(isSampled ? "01" : "00")")
    }

    @Test func laterVersionsAreReadAsFarAsTheyAreKnown() {
        for version in ["01", "cc", "fe"] {
            #expect(Self.parse("\(version)-\(Self.trace)-\(Self.span)-01")?.span.text == Self.span)
            #expect(Self.parse("\(version)-\(Self.trace)-\(Self.span)-01-more")?.span.text == Self.span)
            #expect(Self.parse("\(version)-\(Self.trace)-\(Self.span)-01.more") == nil)
        }
    }

    @Test(arguments: [
        "", "00", "00-", "ff-\(trace)-\(span)-01", "0-\(trace)-\(span)-01", "000-\(trace)-\(span)-01",
        "00-\(trace)-\(span)-01-", "00-\(trace)-\(span)-01-more", "00-\(trace)-\(span)-1", "00-\(trace)-\(span)-0",
        "00-\(trace)-\(span)", "00-\(trace.uppercased())-\(span)-01", "00-\(trace)-\(span.uppercased())-01",
        "00-00000000000000000000000000000000-\(span)-01", "00-\(trace)-0000000000000000-01",
        "00-\(trace.dropLast())-\(span)-01", "00-\(trace)0-\(span)-01", "00-\(trace)-\(span)0-01",
        "00_\(trace)-\(span)-01", "00-\(trace)_\(span)-01", "00-\(trace)-\(span)_01", "00-\(trace)-\(span)-0x",
        "0X-\(trace)-\(span)-01", " 00-\(trace)-\(span)-01", "00-\(trace)-\(span)-01 ",
        "00-\(trace.dropLast())g-\(span)-01",
        "00-\(trace.dropLast(2))é-\(span)-01", String(repeating: "0", count: 100_000),
    ])
    func nonsenseIsNothing(_ parent: String) {
        #expect(Self.parse(parent) == nil)
    }

    @Test func twoParentsAreNone() {
        let parent = "00-\(Self.trace)-\(Self.span)-01"
        #expect(Self.parse(parent, parent) == nil)
        #expect(TraceContext(parents: [], states: ["a=1"]) == nil)
        var metadata = Metadata()
        metadata.add("traceparent", parent)
        #expect(TraceContext(in: metadata)?.parent == parent)
        metadata.add("Traceparent", parent)
        #expect(TraceContext(in: metadata) == nil)
    }

    @Test func aBadStateDoesNotSpoilTheParent() {
        let context = Self.parse("00-\(Self.trace)-\(Self.span)-01", states: ["a=1,a=2"])
        #expect(context?.trace.text == Self.trace)
        #expect(context?.state.text == "")
    }

    @Test(arguments: [
        (["a=1"], "a=1"), (["a=1,b=2", "c=3"], "a=1,b=2,c=3"), ([" a=1 ,\tb=2\t", "", ",,"], "a=1,b=2"),
        (["0tenant@sys=x", "a_-*/9=!~ +"], "0tenant@sys=x,a_-*/9=!~ +"), ([], ""),
    ])
    func aStateIsHandedOn(_ fields: [String], _ text: String) {
        #expect(TraceState(fields: fields).text == text)
    }

    @Test(arguments: [
        ["a"], ["=1"], ["a="], ["A=1"], ["0a=1"], ["a=1,a=1"], ["a=1", "a=2"], ["a@=1"], ["@a=1"], ["a@b@c=1"],
        ["a@0b=1"],
        ["a=1=2"], ["a=\u{7f}"], ["a=é"], ["a b=1"], ["a\u{0}=1"], [String(repeating: "k", count: 257) + "=1"],
        ["a=" + String(repeating: "v", count: 257)], [String(repeating: "t", count: 242) + "@s=1"],
        ["t@" + String(repeating: "s", count: 15) + "=1"],
        [(0..<33).map { "k\($0)=1" }.joined(separator: ",")], [String(repeating: ",", count: 1 << 20)],
    ])
    func aStateWithAFaultIsEmpty(_ fields: [String]) {
        #expect(TraceState(fields: fields).text == "")
    }

    @Test func whatIsTooLongLosesWholeMembersTheLongOnesFirst() {
        let long = "long=" + String(repeating: "x", count: 200)
        let short = (0..<31).map { "k\($0)=" + String(repeating: "y", count: 12) }
        let text = TraceState(fields: [([long] + short).joined(separator: ",")]).text
        #expect(text == short.prefix(while: { !$0.hasPrefix("k30=") }).joined(separator: ","))
        #expect(text.utf8.count <= TraceState.maxBytes)
    }

    @Test func aRatioIsOfTheTraceAlone() {
        var random = SystemRandomNumberGenerator()
        let traces = (0..<10_000).map { _ in TraceID.random(using: &random) }
        func count(_ ratio: Double) -> Int { traces.count { TraceRatio(ratio).samples($0) } }
        #expect(count(0) == 0)
        #expect(count(1) == traces.count)
        // By chance off by more once in many millions of runs.
        #expect((2000...3000).contains(count(0.25)))
        let few = Set(traces.filter { TraceRatio(0.1).samples($0) })
        #expect(few.allSatisfy { TraceRatio(0.2).samples($0) })
    }
}
