import HTTP2
import Testing

@testable import RPC

@Suite struct StatusMessageTests {
    @Test(arguments: [
        ("", ""), ("plain text: 1 ~", "plain text: 1 ~"), ("100 %", "100 %25"), ("größer", "gr%C3%B6%C3%9Fer"),
        ("a\nb", "a%0Ab"), ("\u{7f}", "%7F"), ("日本", "%E6%97%A5%E6%9C%AC"),
    ])
    func messagesAreEncodedAndComeBack(_ message: String, _ value: String) {
        #expect(StatusMessage.encode(message) == value)
        #expect(StatusMessage.decode(value) == message)
    }

    @Test(arguments: [
        ("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("%%41", "%A"), ("%c3%a4", "ä"), ("%ff", "\u{fffd}"),
        ("%E6%97", "\u{fffd}"),
        ("raw ä", "raw ä"),
    ])
    func decodingIsLenient(_ value: String, _ message: String) {
        #expect(StatusMessage.decode(value) == message)
    }

    @Test func aLongMessageIsCutBetweenCharacters() {
        let encoded = StatusMessage.encode(String(repeating: "ä", count: 10_000))
        #expect(encoded.utf8.count <= StatusMessage.maxEncodedBytes)
        #expect(encoded.utf8.count > StatusMessage.maxEncodedBytes - 6)
        #expect(StatusMessage.decode(encoded).allSatisfy { $0 == "ä" })
    }
}

@Suite struct StatusCodeTests {
    @Test func codesHaveTheNamesOfTheSpecification() {
        #expect("\(StatusCode.ok)" == "OK")
        #expect("\(StatusCode.deadlineExceeded)" == "DEADLINE_EXCEEDED")
        #expect("\(StatusCode.unauthenticated)" == "UNAUTHENTICATED")
        #expect("\(StatusCode(rawValue: 999))" == "CODE_999")
        #expect("\(StatusCode(rawValue: -1))" == "CODE_-1")
    }

    @Test(arguments: [
        (400, StatusCode.internal), (401, .unauthenticated), (403, .permissionDenied), (404, .unimplemented),
        (429, .unavailable), (502, .unavailable), (503, .unavailable), (504, .unavailable), (200, .unknown),
        (415, .unknown), (500, .unknown), (-7, .unknown),
    ])
    func httpStatusBecomesACode(_ status: Int, _ code: StatusCode) {
        #expect(StatusCode.fromHTTP(status: status) == code)
    }

    @Test(arguments: [
        (UInt32(0), StatusCode.internal), (1, .internal), (2, .internal), (3, .internal), (4, .internal),
        (5, .unknown), (6, .internal), (7, .unavailable), (8, .cancelled), (9, .internal), (10, .internal),
        (11, .resourceExhausted), (12, .permissionDenied), (13, .unknown), (.max, .unknown),
    ])
    func resetBecomesACode(_ error: UInt32, _ code: StatusCode) {
        #expect(StatusCode.fromHTTP2(errorCode: error) == code)
    }

    @Test func aCallThatIsCancelledByItsServerAfterItsTimeIsLate() {
        func code(_ reset: ErrorCode, _ deadline: Deadline?) -> StatusCode {
            ClientConnection.error(ofReset: reset, deadline: deadline).code
        }
        #expect(code(.cancel, .after(.zero)) == .deadlineExceeded)
        #expect(code(.cancel, .after(.seconds(3600))) == .cancelled)
        #expect(code(.cancel, nil) == .cancelled)
        #expect(code(.internalError, .after(.zero)) == .internal)
    }

    @Test func anErrorIsOneLine() {
        let error = RPCError(.unavailable, "no node", cause: RPCError(.internal, "why"))
        #expect("\(error)" == "UNAVAILABLE: no node (INTERNAL: why)")
        #expect("\(RPCError(.aborted, ""))" == "ABORTED")
    }
}
