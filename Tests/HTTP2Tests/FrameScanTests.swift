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
        var floods = [FloodGuard(FloodLimits()), FloodGuard(FloodLimits())]
        let found = unsafe bytes.withUnsafeBytes { unsafe whole.scan($0, &floods[0]) }
        var one: HTTP2Error?
        for byte in bytes where one == nil {
            one = unsafe [byte].withUnsafeBytes { unsafe pieces.scan($0, &floods[1])?.error }
        }
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
        var (scan, flood) = (FrameScan(role), FloodGuard(FloodLimits()))
        return bytes.map { byte in
            let mistake = unsafe [byte].withUnsafeBytes { unsafe scan.scan($0, &flood) }
            #expect(mistake == nil)
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

    /// What is counted of `frames`, by the only limit that is small.
    private static func limit(
        _ frames: [[UInt8]], _ role: Session.Role = .server, _ limits: FloodLimits
    ) -> [ConnectionLimit?] {
        let bytes = (role == .server ? preface : []) + frames.joined()
        // However the bytes come.
        return [bytes.count, 1, 10].map { step in
            var (scan, flood) = (FrameScan(role), FloodGuard(limits))
            var found: ConnectionLimit?
            for start in stride(from: 0, to: bytes.count, by: step) where found == nil {
                let piece = Array(bytes[start..<min(start + step, bytes.count)])
                found = unsafe piece.withUnsafeBytes { unsafe scan.scan($0, &flood)?.error.limit }
            }
            return found
        }
    }

    private static func isIdle(_ frames: [[UInt8]], _ role: Session.Role = .server) -> Bool? {
        var limits = FloodLimits()
        limits.idleFrames = 0
        let found = Set(limit(frames, role, limits))
        return found == [.idleFrames] ? true : found == [nil] ? false : nil
    }

    @Test(arguments: [Session.Role.server, .client])
    func framesThatSayNothingToACallAreIdle(_ role: Session.Role) {
        let opened = role == .server ? [Self.frame(1, 4, 1)] : []
        for (frame, expected) in [
            (Self.frame(2, 0, 1, bytes: 5), true), (Self.frame(5, 4, 1, bytes: 7), true),
            (Self.frame(8, 0, 0, bytes: 4), true),
            (Self.frame(8, 0, 1, bytes: 4), true), (Self.frame(7, 0, 0, bytes: 8), true),
            (Self.frame(6, 1, 0, bytes: 8), true), (Self.frame(10, 0, 0), true), (Self.frame(0xff, 0xff, 1), true),
            (Self.frame(1, 4, 1), true), (Self.frame(1, 4, 3), role == .client),
            (Self.frame(0, 1, 1, bytes: 4), role == .client), (Self.frame(0, 1, 1, bytes: 5), false),
            (Self.frame(0, 0, 1, bytes: 4), false), (Self.frame(6, 0, 0, bytes: 8), false),
            (Self.frame(4, 0, 0, bytes: 0), false), (Self.frame(4, 1, 0, bytes: 0), false),
            (Self.frame(3, 0, 1, bytes: 4), false), (Self.frame(9, 4, 1), false),
        ] {
            #expect(Self.isIdle(opened + [frame], role) == expected, "\(frame)")
        }
    }

    @Test func dataEndsNoMoreStreamsThanWereOpened() {
        // Of streams that share a place, one is forgotten for the other.
        let (first, second) = (Int32(1), Int32(1 + 2 * FrameScan.maxEnded))
        let end = { (stream: Int32) in Self.frame(0, 1, stream, bytes: 100) }
        let both = [Self.frame(1, 4, first), Self.frame(1, 4, second), end(first), end(second)]
        #expect(Self.isIdle(both) == false)
        #expect(Self.isIdle(both + [end(first)]) == true)
        // One that its head has ended is none of them.
        #expect(Self.isIdle([Self.frame(1, 5, first), Self.frame(1, 5, second), end(first)]) == true)
    }

    /// The padding of these is 255 bytes.
    @Test(arguments: [
        (UInt8(0), 0, ConnectionLimit.emptyData), (0, 4, .tinyData), (0, 5, nil), (1, 0, nil), (8, 256, .emptyData),
        (8, 260, .tinyData), (8, 261, nil), (8, 1, .emptyData), (9, 256, nil), (8, 0, nil),
    ])
    func smallDataIsCountedWithoutItsPaddingWhateverItsStream(
        _ flags: UInt8, _ bytes: Int, _ expected: ConnectionLimit?
    ) {
        var limits = FloodLimits()
        (limits.emptyData, limits.tinyData) = (0, 0)
        for role in [Session.Role.server, .client] {
            let found = Self.limit(
                [Self.frame(0, flags, 7, bytes: bytes), Self.frame(4, 1, 0, bytes: 0)], role, limits)
            #expect(Set(found) == [expected])
        }
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
