import Testing

@testable import HTTP2

@Suite struct HeaderFieldsTests {
    private static func fields(_ pairs: (String, String)...) -> HeaderFields {
        HeaderFields(pairs.map { HeaderField($0.0, $0.1) })
    }

    @Test func fieldsAreEqualByNamesValuesAndOrder() {
        let some = Self.fields(("name", "a value that is longer than eight"), ("b", ""))
        #expect(some == Self.fields(("name", "a value that is longer than eight"), ("b", "")))
        #expect(some != Self.fields(("name", "a value that is longer than eighT"), ("b", "")))
        #expect(some != Self.fields(("b", ""), ("name", "a value that is longer than eight")))
        #expect(some != Self.fields(("name", "a value that is longer than eight")))
        #expect(Self.fields(("ab", "c")) != Self.fields(("a", "bc")))
        #expect(Self.fields() == Self.fields())
        #expect(Self.fields() != Self.fields(("a", "b")))
    }

    @Test func aCopyIsTheSame() {
        let some = Self.fields(("name", "value"), ("other", "more"))
        #expect(some.copied() == some)
        #expect(Array(some.copied()) == Array(some))
    }
}
