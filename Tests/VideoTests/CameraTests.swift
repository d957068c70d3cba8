import Foundation
import Testing
import Video

/// Cameras of this machine, where there is none: nothing else passes for one.
@Suite struct CameraTests {
    private func openingError(_ path: String, size: CameraSize? = nil) async -> String? {
        do {
            let reader = try await VideoReader.camera(path, size: size, frameRate: 30, helper: Files.helper)
            await reader.close()
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [
        "/etc/passwd", "/dev/null", "/dev/video", "/dev/video0/../null", "/dev/videox", "/dev/video 1", "video0",
        "/dev/video12345", "rtsp://127.0.0.1/a", "file:/dev/video0", "",
    ])
    func onlyCamerasAreNamedLikeCameras(_ path: String) async {
        #expect(
            await openingError(path) == "\(path): a camera is named /dev/video0, /dev/video1 and so on", "\(path)")
    }

    @Test func aCameraThatIsNotThereIsSaid() async throws {
        let path = "/dev/video987"
        try #require(!FileManager.default.fileExists(atPath: path))
        #expect(await openingError(path) == "\(path): No such file or directory")
        let size = CameraSize(width: 640, height: 480)
        #expect(await openingError(path, size: size) == "\(path): No such file or directory")
    }

    /// A device of the right kind and name with no camera behind it: as far as anybody comes without one.
    @Test func aDeviceWithoutACameraIsSaid() async throws {
        let path = "/dev/video986"
        guard try await run("/bin/mknod", [path, "c", "81", "986"]) == 0 else {
            print("SKIPPED: a camera's device without a camera: not allowed to make one")
            return
        }
        defer { try? FileManager.default.removeItem(atPath: path) }
        let error = try #require(await openingError(path))
        let reasons = ["No such device", "No such device or address", "Operation not permitted", "is not here"]
        #expect(error.hasPrefix("\(path): ") && reasons.contains { error.contains($0) }, "\(error)")
    }

    @Test func aFileOfThatNameIsNoCamera() async throws {
        let path = "/dev/video985"
        guard FileManager.default.createFile(atPath: path, contents: Data("x".utf8)) else {
            print("SKIPPED: a file named like a camera: /dev cannot be written")
            return
        }
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(await openingError(path) == "\(path): is no camera")
        // And a camera's name does not make a file readable as a video.
        #expect(await readingError("/dev/video987")?.contains("No such file") == true)
    }

    @Test func sizesGoTogether() async throws {
        #expect(try await run(Files.helper, ["camera", "/dev/video0", "--width", "640"]) == 2)
        #expect(try await run(Files.helper, ["camera", "/dev/video0", "--height", "480"]) == 2)
        #expect(try await run(Files.helper, ["camera", "/dev/video0", "--width", "0", "--height", "2"]) == 2)
        #expect(try await run(Files.helper, ["camera", "/dev/video0", "--width", "16384", "--height", "16384"]) == 2)
        #expect(try await run(Files.helper, ["read", "/dev/video0", "--width", "640", "--height", "480"]) == 2)
    }

    @Test func formatsAreNamesAndOfCamerasAlone() async throws {
        for name in ["", "MJPG", "mjpeg:yuyv422", "../mjpeg", String(repeating: "a", count: 33)] {
            #expect(try await run(Files.helper, ["camera", "/dev/video0", "--format", name]) == 2, "\(name)")
            #expect(CameraFormat(name) == nil, "\(name)")
        }
        #expect(try await run(Files.helper, ["camera", "/dev/video0", "--format"]) == 2)
        #expect(try await run(Files.helper, ["read", "/dev/video0", "--format", "mjpeg"]) == 2)
        // What is wrong with these is the path.
        for name in ["mjpeg", "yuyv422", "gray16le", "bayer_rggb8", String(repeating: "a", count: 32)] {
            #expect(try await run(Files.helper, ["camera", "/etc/passwd", "--format", name]) == 1, "\(name)")
            #expect(CameraFormat(name)?.name == name)
        }
    }

    @Test func sizesAreWithinTheLimits() {
        #expect(CameraSize(width: 16_384, height: 3_051) != nil && CameraSize(width: 1, height: 1) != nil)
        let beyond = [
            (0, 480), (640, 0), (-640, -480), (16_385, 1), (1, 16_385), (16_384, 3_052), (Int.max, 2),
        ]
        for (width, height) in beyond {
            #expect(CameraSize(width: width, height: height) == nil, "\(width)x\(height)")
        }
    }
}
