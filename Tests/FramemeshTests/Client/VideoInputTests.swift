import Foundation
import Testing

@testable import framemesh

@Suite struct VideoInputTests {
    @Test(arguments: [
        ("rtsp://user:s3cret@Cam.example/door?key=t0ken", "rtsp://cam.example:554/door", "door"),
        ("https://cam.example", "https://cam.example:443", "cam.example"),
        ("http://[::1]:8080/", "http://[::1]:8080/", "::1"),
        ("HTTP://10.0.0.7:81/a/b.mkv", "http://10.0.0.7:81/a/b.mkv", "b.mkv"),
    ])
    func aURLIsToldWithoutWhatIsSecret(_ text: String, _ name: String, _ stream: String) throws {
        let input = try VideoInput(text)
        #expect(input.name == name && input.streamName == stream && input.path == nil, "\(input.name)")
    }

    @Test(arguments: ["udp://user:s3cret@127.0.0.1:9", "file:///etc/s3cret", "http:///s3cret", "rtsp://a/#s3cret"])
    func othersAreRefusedAndNotShown(_ text: String) {
        let error = #expect(throws: Fatal.self) { try VideoInput(text) }
        #expect(error?.status == .usage && error?.message?.hasPrefix("the URL of the source: ") == true)
        #expect(error?.message?.contains("s3cret") == false, "\(error?.message ?? "")")
    }

    @Test func filesAreWhatTheyWere() throws {
        let folder = FileManager.default.temporaryDirectory.path
        #expect(try VideoInput(folder) == .folder(folder))
        #expect(try VideoInput("/dev/video3") == .camera("/dev/video3"))
        for path in ["a.mp4", "x/a:b.mkv", "://a", "1 2://a"] {
            let input = try VideoInput(path)
            #expect(input == .file(path) && input.name == path && input.path == path)
        }
        #expect(try VideoInput("x/street.mp4").streamName == "street.mp4")
    }
}
