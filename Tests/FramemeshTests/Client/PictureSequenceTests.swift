import Foundation
import Messages
import NIOCore
import Testing
import Video
import Vision

@testable import framemesh

@Suite struct PictureSequenceTests {
    @Test func numbersAtTheEndOrderThem() throws {
        let items = try PictureSequence.inOrder(["a/cam2-10.jpg", "a/cam2-9.jpg", "a/cam2-0011.png"])
        #expect(items.map(\.number) == [9, 10, 11])
        #expect(items.map(\.path) == ["a/cam2-9.jpg", "a/cam2-10.jpg", "a/cam2-0011.png"])
        #expect(try PictureSequence.inOrder(["7.jpg"]).map(\.number) == [7])
    }

    @Test(arguments: [
        (["a.jpg"], "a.jpg: the pictures of a sequence end in the numbers of their frames"),
        (["a1.jpg", "b2.jpg"], "b2.jpg: is of another sequence than a1.jpg"),
        (["x/1.jpg", "x/y/2.jpg"], "x/y/2.jpg: is of another sequence than x/1.jpg"),
        (["1.jpg", "01.png"], "1.jpg: frame 1 comes twice"),
        (["99999999999999999999.jpg"], "99999999999999999999.jpg: the pictures of a sequence end in the numbers"),
    ])
    func othersAreRefused(_ names: [String], _ message: String) {
        let error = #expect(throws: Fatal.self) { try PictureSequence.inOrder(names) }
        #expect(error?.status == .usage && error?.message?.hasPrefix(message) == true, "\(error?.message ?? "")")
    }

    /// Grey pictures, the brightness of each told.
    private func folder(_ pictures: [(name: String, width: Int, grey: UInt8)]) throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sequence-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for picture in pictures {
            let pixels = ByteBuffer(repeating: picture.grey, count: picture.width * 4)
            let image = try Image(
                decoding: Frame(encoding: .gray8, width: picture.width, height: 4, payload: .inline(pixels)))
            try Data(image.png().readableBytesView).write(to: folder.appending(path: picture.name))
        }
        return folder
    }

    @Test func framesKeepTheTimesOfTheirNumbers() async throws {
        let folder = try folder([("f10.png", 8, 10), ("f11.png", 8, 11), ("f15.png", 8, 15)])
        defer { try? FileManager.default.removeItem(at: folder) }
        let sequence = try await PictureSequence.open(folder.path, frameRate: 20)
        #expect(sequence.info == VideoInfo(width: 8, height: 4, frameRate: 20, frameCount: 3, codec: "pictures"))
        var frames: [VideoFrame] = []
        while let frame = try await sequence.next() { frames.append(frame) }
        #expect(frames.map(\.index) == [0, 1, 2])
        #expect(frames.map(\.captureTime) == [0, 50_000, 250_000])
        #expect(
            frames.map { Array($0.pixels.readableBytesView) } == [10, 11, 15].map { Array(repeating: $0, count: 96) })
        #expect(try await sequence.next() == nil)
    }

    @Test func aPictureOfAnotherSizeIsNamed() async throws {
        let folder = try folder([("1.png", 8, 0), ("2.png", 9, 0)])
        defer { try? FileManager.default.removeItem(at: folder) }
        let sequence = try await PictureSequence.open(folder.path, frameRate: 25)
        _ = try await sequence.next()
        let error = await #expect(throws: VideoError.self) { try await sequence.next() }
        #expect(error?.message == "\(folder.path)/2.png: is 9x4, and the first picture is 8x4")
    }

    @Test func aPictureThatIsNoneIsNamed() async throws {
        let folder = try folder([("1.png", 8, 0)])
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("nothing".utf8).write(to: folder.appending(path: "2.jpg"))
        let sequence = try await PictureSequence.open(folder.path, frameRate: 25)
        _ = try await sequence.next()
        let error = await #expect(throws: VideoError.self) { try await sequence.next() }
        #expect(error?.message.hasPrefix("\(folder.path)/2.jpg: ") == true, "\(error?.message ?? "")")
    }
}
