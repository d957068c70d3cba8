import Foundation
import NIOCore
import TestSupport
import Testing
import Video

/// A camera that is emulated beneath FFmpeg's own `v4l2`: what it sees says which frame it is.
@Suite struct EmulatedCameraTests {
    /// Microseconds from frame to frame, where nobody asks for another rate.
    private static let interval = 1_000_000.0 / 30

    private static func open(
        _ camera: EmulatedCamera, size: CameraSize? = CameraSize(width: 320, height: 240), format: CameraFormat? = nil,
        frameRate: Double? = nil
    ) async throws -> VideoReader {
        // Its files are there until the first frame is.
        defer { withExtendedLifetime(camera) {} }
        let helper = try await camera.helper(URL(fileURLWithPath: Files.helper))
        return try await VideoReader.camera(
            EmulatedCamera.path, size: size, format: format, frameRate: frameRate, helper: helper.path)
    }

    /// Frames of the camera until it ends, and how that was.
    private static func readToTheEnd(_ reader: VideoReader) async throws -> (frames: [VideoFrame], error: VideoError?) {
        var frames: [VideoFrame] = []
        do {
            while let frame = try await reader.next() { frames.append(frame) }
            return (frames, nil)
        } catch let error as VideoError {
            return (frames, error)
        }
    }

    private static func openingError(
        _ properties: [String: String], size: CameraSize? = CameraSize(width: 320, height: 240),
        format: CameraFormat? = nil
    ) async throws -> String {
        let camera = try await EmulatedCamera(properties)
        let error = await #expect(throws: VideoError.self) {
            try await open(camera, size: size, format: format).close()
        }
        return error?.message ?? ""
    }

    // MARK: What is on the pictures

    /// Blue, green and red by BT.601.
    /// - Parameter isFull: of JPEG; else black is 16 and white 235.
    private static func blueGreenRed(_ y: Double, _ u: Double, _ v: Double, isFull: Bool) -> [Int] {
        let light = isFull ? y : (y - 16) * 255 / 219
        let tint = isFull ? 1 : 255.0 / 224
        let (blue, red) = ((u - 128) * tint, (v - 128) * tint)
        return [light + 1.772 * blue, light - 0.344136 * blue - 0.714136 * red, light + 1.402 * red]
            .map { Int($0.rounded()) }
    }

    /// The number that the picture says: all places have the colour of the ground, but for one.
    private static func number(_ frame: VideoFrame, _ info: VideoInfo) throws -> Int {
        let isFull = info.codec == "mjpeg"
        let ground = blueGreenRed(60, 150, 110, isFull: isFull)
        let square = blueGreenRed(190, 90, 160, isFull: isFull)
        let side = EmulatedCamera.squareSide
        let (columns, rows) = (info.width / side, info.height / side)
        var bright: [Int] = []
        for place in 0..<(columns * rows) {
            let (x, y) = (place % columns * side + side / 2, place / columns * side + side / 2)
            let seen = color(frame, info, x: x, y: y)
            if close(seen, square, within: 3) {
                bright.append(place)
            } else if !close(seen, ground, within: 3) {
                throw Failure("frame \(frame.index) has \(seen) at \(x), \(y)")
            }
        }
        guard bright.count == 1 else { throw Failure("frame \(frame.index) has squares at \(bright)") }
        return bright[0]
    }

    /// Numbers rise, and each frame has the time of its own: of those that were lost before it, too.
    /// - Returns: the numbers.
    @discardableResult private static func expectTimes(
        _ frames: [VideoFrame], _ info: VideoInfo, interval: Double = EmulatedCameraTests.interval
    ) throws -> [Int] {
        let numbers = try frames.map { try number($0, info) }
        #expect(frames.map(\.index) == (0..<UInt64(frames.count)).map { $0 })
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 }, "\(numbers)")
        for (frame, number) in zip(frames, numbers) {
            #expect(frame.pixels.readableBytes == info.width * info.height * 3)
            // The camera says whole microseconds.
            let time = Double(frame.captureTime - frames[0].captureTime)
            let expected = Double(number - numbers[0]) * interval
            #expect(abs(time - expected) <= 1, "frame \(frame.index), number \(number): \(time)")
        }
        return numbers
    }

    // MARK: Frames

    @Test(arguments: [("YUYV", "rawvideo"), ("MJPG", "mjpeg")])
    func framesComeInOrderAsTheCameraTookThem(_ format: String, _ codec: String) async throws {
        let start = ContinuousClock.now
        let reader = try await Self.open(EmulatedCamera(["FORMATS": format]))
        let info = reader.info
        #expect(info.width == 320 && info.height == 240 && info.frameRate == 30 && info.codec == codec)
        #expect(info.isLive && info.frameCount == nil && info.duration == nil)
        #expect(info.age >= .zero && info.age < .seconds(30), "\(info.age)")
        var frames: [VideoFrame] = []
        for _ in 0..<45 { frames.append(try #require(try await reader.next())) }
        #expect(Duration.microseconds(frames[44].captureTime) < ContinuousClock.now - start, "ahead of the clock")
        await reader.close()
        let numbers = try Self.expectTimes(frames, info)
        #expect(numbers[0] == 0 && frames[0].captureTime == 0)
    }

    /// A rate that a camera has not becomes the nearest that it has.
    @Test(arguments: [(640, 480, 24.0, 30.0), (160, 120, 15.0, 15.0), (320, 240, 5.5, 15.0)])
    func aCameraIsAskedForASizeAndARate(
        _ width: Int, _ height: Int, _ rate: Double, _ givenRate: Double
    ) async throws {
        let size = try #require(CameraSize(width: width, height: height))
        let reader = try await Self.open(EmulatedCamera(), size: size, frameRate: rate)
        let info = reader.info
        #expect(info.width == width && info.height == height && info.frameRate == givenRate)
        var frames: [VideoFrame] = []
        for _ in 0..<4 { frames.append(try #require(try await reader.next())) }
        await reader.close()
        try Self.expectTimes(frames, info, interval: 1_000_000 / givenRate)
    }

    /// It sends YUYV where nobody asks.
    @Test(arguments: [("mjpeg", "mjpeg"), ("yuyv422", "rawvideo"), ("rawvideo", "rawvideo")])
    func aCameraIsAskedForAFormat(_ name: String, _ codec: String) async throws {
        let format = try #require(CameraFormat(name))
        let reader = try await Self.open(EmulatedCamera(), format: format)
        let info = reader.info
        #expect(info.width == 320 && info.height == 240 && info.codec == codec)
        var frames: [VideoFrame] = []
        for _ in 0..<4 { frames.append(try #require(try await reader.next())) }
        await reader.close()
        try Self.expectTimes(frames, info)
    }

    /// It loses frames that nobody takes; what comes then has its own time all the same.
    @Test func timesGoOnWhereFramesWereLost() async throws {
        let reader = try await Self.open(EmulatedCamera(), size: CameraSize(width: 640, height: 480))
        // More than buffers and pipe hold.
        try await Task.sleep(for: .seconds(4))
        var frames: [VideoFrame] = []
        for _ in 0..<80 { frames.append(try #require(try await reader.next())) }
        await reader.close()
        let numbers = try Self.expectTimes(frames, reader.info)
        #expect(numbers[79] > 79, "\(numbers)")
    }

    @Test func aCameraIsReadWithTheRightsOfAFile() async throws {
        let reader = try await Self.open(EmulatedCamera())
        let pid = try #require(reader.processID)
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8).split(separator: "\n")
        #expect(status.contains("Seccomp:\t2") && status.contains("NoNewPrivs:\t1"), "\(status)")
        await reader.close()
        #expect(!runs(pid))
    }

    @Test func aCameraThatIsAskedForNothingIsAsItLikes() async throws {
        let reader = try await Self.open(EmulatedCamera(), size: nil)
        let info = reader.info
        #expect(info.width == 640 && info.height == 480 && info.frameRate == 30 && info.codec == "rawvideo")
        await reader.close()
    }

    // MARK: Faults

    @Test(arguments: [0, 5, 19]) func aDamagedFrameIsLeftOutAndCounted(_ damaged: Int) async throws {
        let camera = try await EmulatedCamera(["DAMAGED": "\(damaged)", "GONE_AFTER": "20"])
        let reader = try await Self.open(camera)
        let (frames, _) = try await Self.readToTheEnd(reader)
        let numbers = try Self.expectTimes(frames, reader.info)
        #expect(numbers == (0..<20).filter { $0 != damaged } && reader.damagedPackets == 1)
    }

    @Test(arguments: ["YUYV", "MJPG"]) func aCameraThatIsUnpluggedIsSaid(_ format: String) async throws {
        let reader = try await Self.open(EmulatedCamera(["FORMATS": format, "GONE_AFTER": "20"]))
        let (frames, error) = try await Self.readToTheEnd(reader)
        #expect(try Self.expectTimes(frames, reader.info) == Array(0..<20))
        let why = "No such device (ioctl(VIDIOC_DQBUF): No such device)"
        #expect(error?.message == "\(EmulatedCamera.path): ended too early, after 20 frames: \(why)")
    }

    @Test func aCameraThatFallsSilentIsGivenUp() async throws {
        let reader = try await Self.open(EmulatedCamera(["SILENT_AFTER": "10"]))
        let (frames, error) = try await Self.readToTheEnd(reader)
        #expect(try Self.expectTimes(frames, reader.info) == Array(0..<10))
        let words = "\(EmulatedCamera.path): no picture for 10 seconds"
        #expect(error?.message.contains("after 10 frames") == true && error?.message.hasSuffix(words) == true)
    }

    @Test func aCameraWithoutAPictureIsGivenUp() async throws {
        let silent = try await Self.openingError(["SILENT_AFTER": "0"])
        #expect(silent.hasSuffix("\(EmulatedCamera.path): no picture for 10 seconds"), "\(silent)")
        let gone = try await Self.openingError(["GONE_AFTER": "0"])
        #expect(gone.hasPrefix("\(EmulatedCamera.path): ") && gone.contains("No such device"), "\(gone)")
    }

    // MARK: What it has not

    private static let sizes = "640x480 320x240 160x120"

    /// The camera takes the nearest size, which nobody has asked for.
    @Test(arguments: [(1000, 700, "640x480"), (16, 16, "160x120"), (640, 479, "640x480")])
    func aSizeThatACameraHasNotIsSaidWithThoseThatItHas(_ width: Int, _ height: Int, _ given: String) async throws {
        let size = try #require(CameraSize(width: width, height: height))
        for format in [nil, CameraFormat("mjpeg")] {
            let error = try await Self.openingError([:], size: size, format: format)
            let has = "it has yuyv422 \(Self.sizes), mjpeg \(Self.sizes)"
            #expect(error == "\(EmulatedCamera.path): gives \(given), not \(width)x\(height); \(has)")
        }
    }

    /// FFmpeg refuses some, and takes what there is in place of others.
    @Test(arguments: [
        ("YUYV", "mjpeg", "yuyv422"), ("YUYV", "h264", "yuyv422"), ("MJPG", "yuyv422", "mjpeg"),
        ("MJPG", "rawvideo", "mjpeg"), ("MJPG", "nonsense", "mjpeg"), ("YUYV", "argb", "yuyv422"),
    ])
    func aFormatThatACameraHasNotIsSaidWithThoseThatItHas(
        _ formats: String, _ asked: String, _ has: String
    ) async throws {
        let format = try #require(CameraFormat(asked))
        for size in [nil, CameraSize(width: 320, height: 240)] {
            let error = try await Self.openingError(["FORMATS": formats], size: size, format: format)
            #expect(error == "\(EmulatedCamera.path): gives no \(asked); it has \(has) \(Self.sizes)")
        }
    }

    /// It has the format, and another reason.
    @Test(arguments: [("format EBUSY", "Device or resource busy"), ("format EINVAL", "Invalid argument (")])
    func aCameraThatRefusesIsNotCalledOneWithoutTheFormat(_ call: String, _ why: String) async throws {
        let error = try await Self.openingError(["REFUSES": call], format: CameraFormat("mjpeg"))
        #expect(error.hasPrefix("\(EmulatedCamera.path): \(why)") && !error.contains("it has"), "\(error)")
    }

    /// It is another program's, another user's, not the device with the pictures, or one too many on its bus.
    @Test(arguments: [
        ("open EACCES", "Permission denied"), ("open EBUSY", "Device or resource busy"),
        ("format EBUSY", "Device or resource busy"), ("start EBUSY", "Device or resource busy"),
        ("input ENOTTY", "gives no pictures, another device of the camera may (FFmpeg: Inappropriate ioctl"),
        ("start ENOSPC", "its bus has no room for another camera's pictures (FFmpeg: No space left on device"),
    ])
    func aCameraThatRefusesIsSaid(_ call: String, _ why: String) async throws {
        let error = try await Self.openingError(["REFUSES": call])
        #expect(error.hasPrefix("\(EmulatedCamera.path): \(why)"), "\(error)")
    }
}
