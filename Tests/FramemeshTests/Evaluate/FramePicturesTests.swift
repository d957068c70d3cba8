import Testing

@testable import framemesh

@Suite struct FramePicturesTests {
    @Test func numbersOrderThem() throws {
        #expect(
            try FramePictures.inOrder(["a/10.jpg", "a/1.jpg"] + (2...9).map { "a/\($0).jpg" })
                == (1...10).map { "a/\($0).jpg" })
        #expect(try FramePictures.inOrder(["000002.png", "000001.png"]) == ["000001.png", "000002.png"])
    }

    @Test(arguments: [["1.jpg", "3.jpg"], ["2.jpg"], ["1.jpg", "01.jpg"], ["first.jpg"]])
    func othersAreRefused(names: [String]) {
        let error = #expect(throws: Fatal.self) { try FramePictures.inOrder(names) }
        #expect(error?.status == .usage)
    }
}
