import Testing

@testable import Gateway

@Suite struct ServerSentEventTests {
    @Test func anEventIsFieldsAndAnEmptyLine() {
        #expect(
            ServerSentEvent("frame", id: "7", data: "{\"a\":1}").text == "id: 7\nevent: frame\ndata: {\"a\":1}\n\n")
        #expect(ServerSentEvent("area", data: "a\u{2028}b").text == "event: area\ndata: a\u{2028}b\n\n")
        #expect(ServerSentEvent("end", data: "").text == "event: end\ndata: \n\n")
    }

    @Test func noTextBreaksOutOfItsField() {
        let event = ServerSentEvent("fr\name", id: "1\r\n2\0", data: "one\ntwo\r\nevent: fake\rid: 9\n\nthree")
        #expect(
            event.text == """
                id: 12
                event: frame
                data: one
                data: two
                data: event: fake
                data: id: 9
                data: 
                data: three


                """)
    }
}
