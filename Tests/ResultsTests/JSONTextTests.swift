import Testing

@testable import Results

@Suite struct JSONTextTests {
    @Test(arguments: [
        (0.0, 4, "0"), (1, 4, "1"), (0.5, 4, "0.5"), (0.87654321, 4, "0.8765"), (0.99999, 4, "1"), (-0.00001, 4, "0"),
        (-12.345, 2, "-12.35"), (1234.05, 2, "1234.05"), (0.001, 3, "0.001"), (1e20, 2, "1e+20"), (7, 0, "7"),
        (.nan, 2, "null"), (-.infinity, 2, "null"),
    ])
    func numbersAreRoundedWithoutZerosAtTheEnd(_ value: Double, _ decimals: Int, _ text: String) {
        #expect(JSONText.number(value, decimals: decimals) == text)
    }

    @Test func textIsEscapedAndLettersOfAllScriptsStay() {
        #expect(JSONText.quoted("a\"b\\c\n\r\t\u{1}é犬🐕") == #""a\"b\\c\n\r\t\u0001é犬🐕""#)
    }

    @Test func fieldsKeepTheirOrder() {
        let text = JSONText.object { json in
            json.field("z", 1)
            json.object("a") { $0.field("yes", true) }
            json.array("list", ["x", "y"]) { $0.value($1) }
            json.array("none", [String]()) { $0.value($1) }
            json.field("b", 0.25, decimals: 2)
        }
        #expect(text == #"{"z":1,"a":{"yes":true},"list":["x","y"],"none":[],"b":0.25}"#)
    }
}
