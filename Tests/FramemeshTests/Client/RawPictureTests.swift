import Messages
import Playback
import Testing

@testable import framemesh

@Suite struct RawPictureTests {
    @Test(arguments: [
        (Encoding.bgr8, 640, 480, 0, 921_600...921_600), (.gray8, 3, 3, 0, 9...9), (.nv12, 4, 2, 0, 12...12),
        (.i420, 4, 2, 0, 12...12), (.bgr8, 10, 2, 32, 62...64), (.gray8, 5, 3, 8, 21...24),
        (.nv12, 4, 2, 8, 20...24), (.i420, 4, 2, 8, 22...24),
    ])
    func sizesFollowFromTheForm(
        _ encoding: Encoding, _ width: Int, _ height: Int, _ stride: Int, _ bytes: ClosedRange<Int>
    )
        throws
    {
        let picture = try RawPicture(encoding: encoding, width: width, height: height, rowStride: stride)
        #expect(picture.byteRange == bytes)
        #expect(picture.objection(to: bytes.lowerBound) == nil && picture.objection(to: bytes.upperBound) == nil)
        #expect(picture.objection(to: bytes.upperBound + 1)?.contains("\(bytes.upperBound + 1)") == true)
        #expect(picture.objection(to: bytes.lowerBound - 1) != nil)
    }

    @Test(arguments: [
        (Encoding.bgr8, 0, 10, 0, "width"), (.bgr8, 10, 99_999, 0, "99999"), (.bgr8, 10, 10, 29, "29"),
        (.nv12, 5, 4, 0, "even"), (.i420, 4, 4, 7, "even"), (.jpeg, 10, 10, 0, "jpeg"), (.bgr8, 10, 10, .max, "stride"),
    ])
    func impossibleFormsAreNamed(_ encoding: Encoding, _ width: Int, _ height: Int, _ stride: Int, _ word: String) {
        let error = #expect(throws: Fatal.self) {
            try RawPicture(encoding: encoding, width: width, height: height, rowStride: stride)
        }
        #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        ("auto", FrameEncoding.auto), ("raw", .raw), ("jpeg", .jpeg(quality: 90)), ("jpeg:7", .jpeg(quality: 7)),
    ])
    func encodingsOfVideoFramesHaveNames(_ text: String, _ encoding: FrameEncoding) {
        #expect(FrameEncoding(argument: text) == encoding)
    }

    @Test(arguments: ["", "png", "jpeg:0", "jpeg:101", "jpeg:x", "jpeg:"]) func otherEncodingsAreRefused(_ text: String)
    {
        #expect(FrameEncoding(argument: text) == nil)
    }

    @Test func framesTravelRawOnThisHostIfTheyMay() {
        #expect(FrameEncoding.auto.quality(sameHost: true, frameBytes: 1_000_000) == nil)
        #expect(FrameEncoding.auto.quality(sameHost: true, frameBytes: 100_000_000) == 90)
        #expect(FrameEncoding.auto.quality(sameHost: false, frameBytes: 1_000_000) == 90)
        #expect(FrameEncoding.raw.quality(sameHost: false, frameBytes: 1_000_000) == nil)
        #expect(FrameEncoding.jpeg(quality: 5).quality(sameHost: true, frameBytes: 1) == 5)
    }
}
