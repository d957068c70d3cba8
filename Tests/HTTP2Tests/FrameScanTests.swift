import Testing

@testable import HTTP2

@Suite struct FrameScanTests {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private static func frame(_ type: UInt8, _ flags: UInt8, _ stream: Int32, bytes: Int = 3) -> [UInt8] {
        let length = [UInt8(bytes >> 16), UInt8(bytes >> 8 & 0xff), UInt8(bytes & 0xff)]
        let id = [24, 16, 8, 0].map { (shift: Int32) in UInt8(truncatingIfNeeded: stream >> shift) }
        return length + [type, flags] + id + [UInt8](repeating: 0xff, count: bytes)
    }

    /// What is found, whether the bytes come at once or one by one; and where, if at once.
    private static func mistake(_ frames: [[UInt8]]) -> (ErrorCode, before: Int)? {
        let bytes = preface + frames.joined()
        var (whole, pieces) = (FrameScan(.server), FrameScan(.server))
        let found = unsafe bytes.withUnsafeBytes { unsafe whole.scan($0) }
        var one: HTTP2Error?
        for byte in bytes where one == nil { one = unsafe [byte].withUnsafeBytes { unsafe pieces.scan($0)?.error } }
        #expect(found?.error.message == one?.message)
        return found.map { ($0.error.code, $0.before) }
    }

    @Test(arguments: [UInt8(0), 1])
    func aFrameAfterThePeersEndIsAMistakeAndWhatCameBeforeIsNot(_ type: UInt8) {
        let good = [Self.frame(1, 5, 1), Self.frame(4, 0, 0, bytes: 6), Self.frame(8, 0, 1, bytes: 4)]
        #expect(Self.mistake(good) == nil)
        let found = Self.mistake(good + [Self.frame(type, 0, 1), Self.frame(1, 5, 3)])
        #expect(found?.0 == .streamClosed)
        #expect(found?.before == Self.preface.count + good.joined().count)
    }

    @Test func aFrameAfterThePeersResetIsAMistake() {
        #expect(
            Self.mistake([Self.frame(1, 4, 1), Self.frame(3, 0, 1, bytes: 4), Self.frame(0, 1, 1)])?.0 == .streamClosed)
    }

    @Test func trailersAndDataOfAnOpenStreamAreNone() {
        #expect(
            Self.mistake([Self.frame(1, 4, 1), Self.frame(0, 0, 1), Self.frame(0, 0, 1, bytes: 0), Self.frame(1, 5, 1)])
                == nil)
    }

    @Test func goingBackToAnIdThatWasLeftOutIsAMistake() {
        #expect(Self.mistake([Self.frame(1, 5, 5), Self.frame(1, 5, 3)])?.0 == .protocolError)
        #expect(Self.mistake([Self.frame(1, 4, 5), Self.frame(1, 5, 7), Self.frame(1, 5, 5)]) == nil)
    }

    /// Nothing is added to the largest id that there is, and an id that is no client's is left to nghttp2.
    @Test(
        arguments: [
            [Int32.max - 1, .max], [.max - 2, .max], [.max, .max - 2], [2, 1], [.max - 1, 1, 3], [0, .max],
        ] as [[Int32]])
    func idsAtTheEndAreIdsAsOthers(_ ids: [Int32]) {
        let isBackwards = ids == [.max, .max - 2]
        #expect(Self.mistake(ids.map { Self.frame(1, 4, $0) })?.0 == (isBackwards ? .protocolError : nil))
        #expect(Self.mistake(ids.map { Self.frame(0, 0, $0) }) == nil)
    }

    /// After each of `bytes`: how many more are surely DATA of stream 3.
    private static func openData(_ bytes: [UInt8], _ role: Session.Role) -> [Int] {
        var scan = FrameScan(role)
        return bytes.map { byte in
            #expect(unsafe [byte].withUnsafeBytes { unsafe scan.scan($0) } == nil)
            guard let open = scan.openData else { return 0 }
            #expect(open.stream == 3)
            return open.bytes
        }
    }

    @Test(arguments: [UInt8(0), 1])
    func theRestOfAHalfReadDataFrameIsKnown(_ flags: UInt8) {
        let frames = Self.frame(1, 4, 3) + Self.frame(0, flags, 3, bytes: 5) + Self.frame(6, 0, 0, bytes: 8)
        let expected = [Int](repeating: 0, count: 12 + 8) + [5, 4, 3, 2, 1] + [Int](repeating: 0, count: 1 + 17)
        #expect(Self.openData(frames, .client) == expected)
        #expect(Self.openData(Self.preface + frames, .server) == Self.preface.map { _ in 0 } + expected)
    }

    @Test func paddedDataAndWhatIsNotDataIsNotKnown() {
        for frame in [
            Self.frame(0, 8, 3, bytes: 100), Self.frame(1, 4, 3, bytes: 100), Self.frame(0, 0, 0, bytes: 100),
        ] {
            #expect(Self.openData(Self.frame(1, 4, 3) + frame, .client).allSatisfy { $0 == 0 })
        }
    }

    @Test func aPriorityHasAStreamAndFiveBytes() {
        #expect(Self.mistake([Self.frame(2, 0, 3, bytes: 5)]) == nil)
        #expect(Self.mistake([Self.frame(2, 0, 0, bytes: 5)])?.0 == .protocolError)
        #expect(Self.mistake([Self.frame(2, 0, 3, bytes: 4)])?.0 == .frameSizeError)
    }

    @Test func manyStreamsInTurnAreNoMistake() {
        var frames: [[UInt8]] = []
        for stream in stride(from: Int32(1), to: 2000, by: 2) {
            frames.append(Self.frame(1, 4, stream))
            frames.append(Self.frame(0, 1, stream, bytes: 20))
        }
        #expect(Self.mistake(frames) == nil)
    }
}
