import Foundation
import Testing

@testable import Gateway

@Suite struct RepeatedKeyTests {
    @Test(
        arguments: [
            (#"{"a":1,"a":2}"#, "a"), (#"{"a":{"b":[0,{"c":1,"d":2,"c":3}]}}"#, "a.b[1].c"),
            (#"[{"a":1},{"a":1,"a":1}]"#, "[1].a"), (#"{"a":1,"\u0061":2}"#, "a"),
            (#"{ "a" : [ { "b" : "," } , 1 ] , "b" : 1 , "b" : 1 }"#, "b"), (#"{"a\"":1,"a\"":2}"#, #"a""#),
        ] as [(String, String)])
    func aKeyThatIsThereTwiceIsFound(_ json: String, _ place: String) {
        #expect(RepeatedKey.first(in: Data(json.utf8)) == place)
    }

    @Test(arguments: [
        "", "{}", "[]", "1", #""a""#, #"{"a":{"a":1},"b":{"a":2}}"#, #"{"a":"a","b":"a"}"#, #"[{"a":1},{"a":1}]"#,
        #"{"a":["a","a"],"b":"{\"a\":1,\"a\":2}"}"#, #"{"a":"\\","b":"\\\""}"#,
    ])
    func whatIsThereOnceIsLeftAlone(_ json: String) {
        #expect(RepeatedKey.first(in: Data(json.utf8)) == nil)
    }
}
