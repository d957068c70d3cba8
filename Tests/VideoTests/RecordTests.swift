import Foundation
import NIOCore
import Testing

@testable import Video

@Suite struct VideoRecordTests {
    private static func head(_ kind: String, _ count: UInt32, frame: Int? = nil) throws -> Record.Head {
        var bytes = ByteBuffer(string: kind)
        bytes.writeInteger(count, endianness: .little)
        return try Record.Head(&bytes, frameByteCount: frame)
    }

    @Test func kindsAreTheLettersOfTheProtocol() throws {
        #expect(try Self.head("INFO", 54).kind == .info)
        #expect(try Self.head("FRAM", 28, frame: 12) == Record.Head(.frame, byteCount: 28))
        #expect(try Self.head("END_", 16).kind == .end)
        #expect(try Self.head("FAIL", 0).kind == .fail)
    }

    @Test(
        arguments: [
            ("INFO", 3, nil), ("INFO", 4_153, nil), ("FRAM", 28, nil), ("FRAM", 27, 12), ("FRAM", 29, 12),
            ("FRAM", UInt32.max, 12), ("END_", 15, nil), ("END_", UInt32.max, nil), ("FAIL", 4_097, nil),
            ("fail", 1, nil),
        ] as [(String, UInt32, Int?)])
    func countsThatDoNotFitTheKindAreRefused(_ kind: String, _ count: UInt32, _ frame: Int?) {
        #expect(throws: VideoError.self) { try Self.head(kind, count, frame: frame) }
    }

    private static func info(
        version: UInt32 = 3, width: UInt32 = 64, height: UInt32 = 48, rate: Double = 25, count: Int64 = 7,
        age: Int64 = 0, duration: Int64 = 0, aspect: (UInt32, UInt32) = (1, 1),
        exact: UInt32 = 0
    ) throws -> VideoInfo {
        var bytes = ByteBuffer()
        bytes.writeMultipleIntegers(
            version, width, height, rate.bitPattern, count, age, duration, aspect.0, aspect.1, exact,
            endianness: .little)
        bytes.writeString("h264")
        return try Record.info(&bytes)
    }

    @Test func infoIsReadAndNotBelievedBlindly() throws {
        #expect(
            try Self.info() == VideoInfo(width: 64, height: 48, frameRate: 25, frameCount: 7, codec: "h264"))
        let unknown = try Self.info(count: -1), endless = try Self.info(count: -2)
        #expect(unknown.frameCount == nil && !unknown.isLive)
        #expect(endless.frameCount == nil && endless.isLive)
        #expect(try Self.info(exact: 1).isFrameCountExact)
        #expect(try !Self.info(count: -1, exact: 1).isFrameCountExact)
        #expect(try Self.info(rate: .nan).frameRate == 0)
        #expect(try Self.info(rate: -.infinity).frameRate == 0)
        #expect(try Self.info(age: 1_500_000).age == .milliseconds(1500))
        #expect(try Self.info(age: -1).age == .zero)
        #expect(try Self.info(duration: 20_000_000).duration == .seconds(20))
        #expect(try Self.info(duration: -1).duration == nil)
        #expect(try Self.info(aspect: (4, 3)).aspect == PixelAspect(width: 4, height: 3))
        for wrong in [(0, 1), (1, 0), (65_536, 1)] as [(UInt32, UInt32)] {
            #expect(try Self.info(aspect: wrong).aspect == .square)
        }
        #expect(throws: VideoError.self) { try Self.info(age: .max) }
        #expect(throws: VideoError.self) { try Self.info(version: 2) }
        #expect(throws: VideoError.self) { try Self.info(width: 0) }
        #expect(throws: VideoError.self) { try Self.info(width: .max, height: .max) }
        #expect(throws: VideoError.self) { try Self.info(width: 16_384, height: 16_384) }
    }

    /// That of a helper of another version may be shorter: what it says first is which one that is.
    @Test func anotherVersionIsTheHelpersFaultAndAShortInfoIsNot() throws {
        func trouble(version: UInt32) -> VideoError? {
            var bytes = ByteBuffer()
            bytes.writeMultipleIntegers(version, UInt32(64), endianness: .little)
            do throws(VideoError) {
                _ = try Record.info(&bytes)
                return nil
            } catch { return error }
        }
        let other = try #require(trouble(version: Record.version + 1))
        #expect(other.isOfHelper && other.message.contains("version \(Record.version + 1)"))
        #expect(trouble(version: Record.version)?.isOfHelper == false)
    }

    @Test func shortBodiesAreErrors() {
        for count in 0..<16 {
            let bytes = ByteBuffer(repeating: 1, count: count)
            #expect(throws: VideoError.self) {
                var bytes = bytes
                _ = try Record.frameHead(&bytes)
            }
            #expect(throws: VideoError.self) {
                var bytes = bytes
                _ = try Record.end(&bytes)
            }
            #expect(throws: VideoError.self) {
                var bytes = bytes
                _ = try Record.info(&bytes)
            }
        }
    }

    @Test func textIsOneLineThatATerminalCanShow() {
        var bytes = ByteBuffer(string: "a\u{1B}[31mb\nc\u{7F}")
        #expect(Record.text(&bytes) == "a [31mb c ")
    }

    @Test func theEndOfAProcessIsSaid() {
        #expect(Ending(status: 9) == .killed(signal: 9))
        #expect(Ending(status: 0x80 | 11) == .killed(signal: 11))
        #expect(Ending(status: 3 << 8) == .exited(3))
        #expect(
            Ending.killed(signal: 9).sentence(while: "reading a.mp4 after 3 frames", said: "")
                == "framemesh-video was killed by signal 9 while reading a.mp4 after 3 frames")
    }

    @Test(
        arguments: [
            (.killed(signal: SIGKILL), true), (.killed(signal: SIGTERM), true), (.killed(signal: SIGHUP), true),
            (.killed(signal: SIGINT), true), (.unknown, true), (.exited(2), true), (.exited(127), true),
            (.killed(signal: SIGSEGV), false), (.killed(signal: SIGABRT), false), (.killed(signal: SIGXCPU), false),
            (.exited(0), false), (.exited(1), false),
        ] as [(Ending, Bool)])
    func whatAFileDoesToAHelperIsTheFilesFault(_ ending: Ending, _ isOfHelper: Bool) {
        #expect(ending.error(while: "reading a.mp4", said: "").isOfHelper == isOfHelper)
    }
}
