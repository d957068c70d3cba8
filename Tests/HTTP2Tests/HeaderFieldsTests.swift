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

    @Test func theFirstDifferenceIsFound() {
        let some = Self.fields(("name", "a value that is longer than eight"), ("b", ""), ("cd", "e"), ("fg", "h"))
        func difference(_ position: Int, _ name: String, _ value: String, from start: Int = 0) -> Int? {
            var fields = Array(some)
            fields[position] = HeaderField(name, value)
            return some.firstDifference(from: HeaderFields(fields), startingAt: start)
        }
        #expect(some.firstDifference(from: some.copied()) == nil)
        #expect(difference(0, "name", "A value that is longer than eight") == 0)
        #expect(difference(0, "name", "a value that is longer than eighT") == 0)
        #expect(difference(1, "b", "more") == 1)
        #expect(difference(1, "x", "") == 1)
        #expect(difference(2, "cd", "f") == 2)
        #expect(difference(2, "c", "de") == 2)
        #expect(difference(3, "fg", "") == 3)
        #expect(difference(1, "b", "more", from: 2) == nil)
        #expect(difference(3, "fg", "i", from: 2) == 3)
        #expect(difference(3, "fg", "i", from: 4) == nil)
    }

    @Test func memoryIsUsedForTheNextCopy() {
        var copy = Self.fields(("name", "value"))
        let before = copy
        let other = Self.fields(("x", "y"), ("z", ""))
        copy.assign(copyOf: other)
        #expect(copy == other)
        #expect(before == Self.fields(("name", "value")))
        #expect(copy.byteCount == 3)
    }

    @Test func aHeaderBlockMayBeOfAnyLength() {
        var settings = SessionSettings()
        settings.maxHeaderListBytes = .max
        var block = HeaderBlock()
        block.begin(at: 0)
        for _ in 0...settings.maxHeaderFields { _ = block.count(bytes: 2, settings) }
        #expect(block.isOversized)
        #expect(!block.isHostile(settings))
    }
}
