import NIOCore
import Testing

@testable import Gateway

@Suite struct MultipartParserTests {
    /// What a body is taken apart into, contents joined.
    private static func parts(
        _ body: String, boundary: String = "b", by step: Int = .max, maxHeaderBytes: Int = 100
    ) throws -> (parts: [String], isComplete: Bool) {
        var parser = try MultipartParser(boundary: boundary, maxHeaderBytes: maxHeaderBytes)
        var found: [String] = []
        var content = ""
        var rest = Array(body.utf8)[...]
        while !rest.isEmpty {
            parser.feed(ByteBuffer(bytes: rest.prefix(step)))
            rest = rest.dropFirst(step)
            while let event = try parser.next() {
                switch event {
                case .part(let lines): content = lines.joined(separator: "|") + ">"
                case .content(let bytes): content += String(buffer: bytes)
                case .partEnd: found.append(content)
                case .end: found.append("end")
                }
            }
        }
        return (found, parser.isComplete)
    }

    private static let whole =
        "before\r\n--b \t\r\nA: 1\r\nB: 2\r\n\r\none\r\n--\r\n--c\r\r\n--b\r\n\r\n\r\n--b\r\nC: 3\r\n\r\n\r\n\r\n--b--after\r\n--b\r\n"

    @Test(arguments: [1, 2, 3, 5, 7, 11, 1000])
    func aBodyIsTheSameInWhateverPiecesItComes(_ step: Int) throws {
        let (parts, isComplete) = try Self.parts(Self.whole, by: step)
        #expect(parts == ["A: 1|B: 2>one\r\n--\r\n--c\r", ">", "C: 3>\r\n", "end"])
        #expect(isComplete)
    }

    @Test func theFirstBoundaryMayStandAtTheVeryBeginning() throws {
        #expect(try Self.parts("--b\r\n\r\nx\r\n--b--").parts == [">x", "end"])
        #expect(try Self.parts("--b--").parts == ["end"])
    }

    @Test(arguments: [
        "", "--b", "--b\r\n", "--b\r\nA: 1\r\n\r\nx", "--b\r\n\r\nx\r\n--b", "--b\r\n\r\nx\r\n--b-", "x--b--",
    ])
    func aBodyThatEndsTooEarlyIsNotComplete(_ body: String) throws {
        #expect(try !Self.parts(body, by: 1).isComplete)
    }

    @Test func aHeaderHasALimitHoweverItComes() {
        let long = "--b\r\nA: " + String(repeating: "x", count: 200)
        for step in [1, 64, 1000] {
            #expect(throws: MultipartParser.Failure.self) { try Self.parts(long, by: step) }
            #expect(throws: MultipartParser.Failure.self) { try Self.parts(long + "\r\n\r\n", by: step) }
            #expect(throws: MultipartParser.Failure.self) {
                try Self.parts("--b" + String(repeating: " ", count: 200), by: step)
            }
        }
    }

    @Test(arguments: ["--bx\r\n", "--b\n", "--b\rx"])
    func aBoundaryEndsItsLine(_ body: String) {
        #expect(throws: MultipartParser.Failure.self) { try Self.parts(body) }
    }

    @Test(arguments: ["", String(repeating: "b", count: 71), "a\u{0}", "é", "ends with a blank "])
    func whatIsNoBoundaryIsRefused(_ boundary: String) {
        #expect(throws: MultipartParser.Failure.self) {
            _ = try MultipartParser(boundary: boundary, maxHeaderBytes: 10)
        }
    }

    @Test func aHeaderSaysWhatThePartIs() throws {
        let header = try #require(
            PartHeader([
                #"content-disposition: Form-Data; name="f 1"; filename="a \"b\"; c:\x.jpg""#,
                "Content-Type: IMAGE/jpeg; q=1",
            ]))
        #expect(header.field == "f 1" && header.fileName == #"a "b"; c:\x.jpg"# && header.mediaType == "image/jpeg")
        #expect(header.isFile)
        #expect(PartHeader(["Content-Disposition: form-data; name=x"])?.isFile == false)
        let long = String(repeating: "é", count: 6000)
        let name = try #require(PartHeader(["Content-Disposition: form-data; name=a; filename=\"\(long)\""])?.fileName)
        #expect(name.utf8.count <= PartHeader.maxNameBytes + 2)
    }

    @Test(arguments: [
        [], ["Content-Type: image/jpeg"], ["Content-Disposition: attachment; name=x"],
        ["Content-Disposition: form-data"], ["no colon"],
        ["Content-Disposition: form-data; name=a", "Content-Disposition: form-data; name=b"],
    ])
    func whatIsNoHeaderOfAFormsPartIsRefused(_ lines: [String]) { #expect(PartHeader(lines) == nil) }
}
