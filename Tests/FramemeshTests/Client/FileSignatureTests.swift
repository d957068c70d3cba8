import Foundation
import Testing

@testable import framemesh

@Suite struct FileSignatureTests {
    private static func bytes(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }

    @Test func picturesAndVideosAreTold() {
        for start in ["\u{FF}\u{D8}\u{FF}\u{E0}", "\u{89}PNG\r\n\u{1A}\n", "RIFF\0\0\0\0WEBPVP8 "] {
            #expect(FileSignature(Self.bytes(start)) == .picture, "\(start)")
        }
        let videos = [
            "\0\0\0\u{20}ftypisom", "\0\0\0\u{14}ftypqt  ", "\0\0\0\u{8}wide", "RIFF\0\0\0\0AVI LIST", "FLV\u{1}",
            "OggS\0",
            "\u{1A}\u{45}\u{DF}\u{A3}", "\0\0\u{1}\u{BA}",
        ]
        for start in videos { #expect(FileSignature(Self.bytes(start)) == .video, "\(start)") }
        var packets = [UInt8](repeating: 0, count: 189)
        (packets[0], packets[188]) = (0x47, 0x47)
        #expect(FileSignature(packets) == .video)
    }

    @Test func othersAreNeither() {
        for start in ["", "G", "RIFF\0\0\0\0WAVE", "\0\0\0\u{1C}ftypavif", "\0\0\0\u{18}ftypheic", "hello", "%PDF-1.7"]
        {
            #expect(FileSignature(Self.bytes(start)) == nil, "\(start)")
        }
        // One byte that could begin a packet says nothing.
        #expect(FileSignature([UInt8](repeating: 0, count: 188) + [0x47]) == nil)
    }

    @Test func filesAreLookedAtWhereTheyAreRegular() throws {
        let demo = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../Sources/framemesh/Resources/demo")
        #expect(FileSignature(ofFile: demo.appending(path: "digits.mp4").path) == .video)
        for name in ["numbers-01.jpg", "numbers-09.png", "numbers-10.webp"] {
            #expect(FileSignature(ofFile: demo.appending(path: name).path) == .picture, "\(name)")
        }
        for path in [demo.path, demo.path + "/none", "/dev/null"] { #expect(FileSignature(ofFile: path) == nil) }
    }
}
