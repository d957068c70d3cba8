import HTTP2
import Testing

@testable import RPC

@Suite struct MetadataTests {
    private func encoded(_ metadata: Metadata) -> [HeaderField] {
        var fields: [HeaderField] = []
        metadata.encode(into: &fields)
        return fields
    }

    @Test func orderAndDuplicatesAreKept() {
        var metadata = Metadata()
        metadata.add("b", "1")
        metadata.add("a", "2")
        metadata.add("b", "3")
        #expect(metadata.map(\.key) == ["b", "a", "b"])
        #expect(metadata["b"] == "1")
        #expect(encoded(metadata) == [HeaderField("b", "1"), HeaderField("a", "2"), HeaderField("b", "3")])
    }

    @Test func keysAreLowerCaseOnTheWayInAndInLookUps() {
        let metadata: Metadata = ["X-Camera": "north"]
        #expect(metadata.map(\.key) == ["x-camera"])
        #expect(metadata["X-CAMERA"] == "north")
    }

    @Test func binaryValuesTravelAsBase64WithoutPadding() {
        var metadata = Metadata()
        metadata.add("trace-bin", bytes: [0, 255, 16, 32])
        #expect(encoded(metadata) == [HeaderField("trace-bin", "AP8QIA")])
        #expect(metadata.bytes("trace-bin") == [0, 255, 16, 32])
        #expect(metadata["trace-bin"] == nil)
    }

    @Test func textUnderABinaryKeyIsItsBytes() {
        let metadata: Metadata = ["note-bin": "ä"]
        #expect(metadata.bytes("note-bin") == [0xc3, 0xa4])
    }

    @Test(arguments: [
        ("AP8QIA==", [[0, 255, 16, 32]]), ("AP8QIA", [[0, 255, 16, 32]]), ("AQ==,Ag", [[1], [2]]),
        ("AQ, Ag==", [[1], [2]]), ("", [[]]), ("AQ,,Ag", [[1], [], [2]]),
    ])
    func binaryValuesAreRead(_ text: String, _ expected: [[UInt8]]) throws {
        let metadata = try Metadata.decode([HeaderField("k-bin", text)], upTo: 128)
        #expect(metadata.map(\.value) == expected.map { .binary($0) })
    }

    @Test(arguments: ["A", "AQ=", "A*==", "AQ,?,Ag", "=", "====", "AQ==AQ==", "A_-A"])
    func bytesThatAreNotBase64FailTheCall(_ text: String) {
        let error = #expect(throws: RPCError.self) { try Metadata.decode([HeaderField("k-bin", text)], upTo: 128) }
        #expect(error?.code == .internal)
        #expect(error?.message == "metadata 'k-bin' is not base64")
    }

    /// One field of 16 KiB would be 16,000 entries.
    @Test func commasAreCountedAsValues() throws {
        func values(_ commas: Int) throws(RPCError) -> Int {
            let fields = [HeaderField("a", "1"), HeaderField("k-bin", String(repeating: ",", count: commas))]
            return try Metadata.decode(fields, upTo: 128).count
        }
        #expect(try values(126) == 128)
        let error = #expect(throws: RPCError.self) { try values(127) }
        #expect(error?.code == .resourceExhausted)
        #expect(error?.message == "metadata of more than 128 values")
    }

    @Test func aCredentialStaysOutOfCompressionTables() {
        let metadata: Metadata = ["authorization": "Bearer abc", "x-id": "7"]
        #expect(encoded(metadata).map(\.isSensitive) == [true, false])
    }

    @Test func everyLengthOfBytesComesBack() {
        for length in 0..<67 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ length) }
            #expect(Base64.decode(Base64.encode(bytes).utf8) == bytes)
            let padded = Base64.encode(bytes) + String(repeating: "=", count: (3 - length % 3) % 3)
            #expect(Base64.decode(padded.utf8) == bytes)
        }
    }

    @Test(arguments: [
        ":path", "grpc-status", "grpc-message", "grpc-timeout", "grpc-anything", "te", "content-type",
        "framemesh-framing", "connection", "transfer-encoding",
    ])
    func reservedFieldsAreNotMetadata(_ name: String) throws {
        #expect(try Metadata.decode([HeaderField(name, "x")], upTo: 128).isEmpty)
        var metadata = Metadata()
        let isIn = metadata.add(name, "x")
        #expect(!isIn)
        #expect(metadata.isEmpty)
    }

    @Test func theUserAgentIsShownButNotSentOn() throws {
        let metadata = try Metadata.decode([HeaderField("user-agent", "grpc-python/1.0")], upTo: 128)
        #expect(metadata["user-agent"] == "grpc-python/1.0")
        #expect(encoded(metadata).isEmpty)
    }

    @Test func errorDetailsAndPushbackAreOpenToUsers() throws {
        var metadata = Metadata()
        let isIn = metadata.add("grpc-status-details-bin", bytes: [8, 3])
        #expect(isIn)
        let isPushbackIn = metadata.add("grpc-retry-pushback-ms", "10")
        #expect(isPushbackIn)
        #expect(try Metadata.decode(encoded(metadata), upTo: 128) == metadata)
    }

    @Test(arguments: ["", "a b", "ä", "a:b", "a\n", "a/b", "a\0"])
    func illegalKeysAreLeftOut(_ key: String) throws {
        var metadata = Metadata()
        let isIn = metadata.add(key, "x")
        #expect(!isIn)
        // "-bin" alone is a name of legal characters.
        let isBinaryIn = metadata.add(key + "-bin", bytes: [1])
        #expect(isBinaryIn == key.isEmpty)
        #expect(try Metadata.decode([HeaderField(key, "x")], upTo: 128).isEmpty)
    }

    @Test(arguments: ["ä", "a\r\nb: c", "a\0", "\u{7f}", "a\ttab"])
    func illegalValuesAreLeftOut(_ value: String) throws {
        var metadata = Metadata()
        let isIn = metadata.add("key", value)
        #expect(!isIn)
        #expect(try Metadata.decode([HeaderField("key", value)], upTo: 128).isEmpty)
    }

    @Test func bytesNeedABinaryKey() {
        var metadata = Metadata()
        let isIn = metadata.add("key", bytes: [1])
        #expect(!isIn)
        #expect(metadata.isEmpty)
    }

    @Test func whatWasReceivedCanBeSentOn() throws {
        let received = [
            HeaderField(":path", "/a/b"), HeaderField("a", "1"), HeaderField("a-bin", "AQ==,Ag"), HeaderField("a", "2"),
            HeaderField("grpc-encoding", "identity"), HeaderField("z", "ä"),
        ]
        let metadata = try Metadata.decode(received, upTo: 128)
        #expect(try Metadata.decode(encoded(metadata), upTo: 128) == metadata)
        #expect(metadata.count == 4)
    }
}
