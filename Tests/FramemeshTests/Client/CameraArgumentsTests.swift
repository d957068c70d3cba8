import ArgumentParser
import Testing
import Video

@testable import framemesh

@Suite struct CameraArgumentsTests {
    private static func objection(_ arguments: [String]) -> String {
        do {
            _ = try VideoCommand.parse(arguments)
            return ""
        } catch {
            return VideoCommand.message(for: error)
        }
    }

    @Test func aCameraIsAskedForSizeAndFormat() throws {
        let command = try VideoCommand.parse([
            "--camera-size", "1280x720", "--camera-format", "mjpeg", "--frame-rate", "30", "/dev/video0",
        ])
        #expect(command.cameraSize == CameraSize(width: 1280, height: 720))
        #expect(command.cameraFormat == CameraFormat("mjpeg") && command.frameRate == 30)
        let none = try VideoCommand.parse(["/dev/video0"])
        #expect(none.cameraSize == nil && none.cameraFormat == nil)
    }

    @Test(arguments: [
        "", "x", "640", "640x", "x480", "640x480x", "640x480x3", "640X480", "640×480", "+640x480", "640x-480", "0x480",
        " 640x480", "6.4x480", "16385x1", "8000x8000", "99999999999999999999x1",
    ])
    func aSizeIsTwoNumbersWithinTheLimits(_ size: String) {
        let objection = Self.objection(["--camera-size", size, "/dev/video0"])
        let words = "it must be WIDTHxHEIGHT, each 1 to 16384, at most 50000000 pixels in all"
        #expect(objection.contains("'\(size)' is invalid for '--camera-size <WxH>'"), "\(objection)")
        #expect(objection.hasSuffix(words) && !objection.contains("\n"), "\(objection)")
    }

    @Test(arguments: ["", "MJPG", "mjpeg,yuyv422", "yuyv 422", "é", "mjpeg\n", String(repeating: "a", count: 33)])
    func aFormatIsAName(_ format: String) {
        let objection = Self.objection(["--camera-format", format, "/dev/video0"])
        #expect(objection.contains("is invalid for '--camera-format <name>'"), "\(objection)")
        #expect(objection.hasSuffix("at most 32 of a to z, 0 to 9 and _"), "\(objection)")
    }

    @Test(arguments: ["street.mp4", "rtsp://cam.example/door", "frames/", "/dev/null"])
    func nothingElseIsAskedForThem(_ file: String) {
        for (option, value) in [("--camera-size", "640x480"), ("--camera-format", "mjpeg")] {
            #expect(
                Self.objection([option, value, file]) == "\(option) is for a camera of this machine (/dev/video0)")
        }
    }
}
