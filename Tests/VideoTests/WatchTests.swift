import Foundation
import NIOCore
import Testing
import Video

/// Live sources, which FFmpeg's command serves.
@Suite struct WatchTests {
    /// One that answers a single caller.
    private final class Camera {
        let process = Process()
        let port: Int
        var url: String { "http://127.0.0.1:\(port)/live" }
        var address: String { "127.0.0.1:\(port)" }

        /// - Parameters:
        ///   - format: FFmpeg's arguments for what is sent.
        ///   - isPaced: as a camera sends them, not all at once.
        init(_ format: String, frames: Int = 10_000, rate: Int = 25, isPaced: Bool = true) throws {
            port = try WatchTests.freePort()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            let arguments =
                "-nostdin -v error \(isPaced ? "-re " : "")-f lavfi -i testsrc2=size=320x240:rate=\(rate) -frames:v \(frames) \(format)"
                + " -listen 1 http://127.0.0.1:\(port)/live"
            process.arguments = ["ffmpeg"] + arguments.split(separator: " ").map(String.init)
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
        }

        /// FFmpeg that listens heeds nothing less.
        func end() { kill(process.processIdentifier, SIGKILL) }

        /// Calls until FFmpeg listens.
        func watch(_ url: String? = nil) async throws -> VideoReader {
            while true {
                do {
                    return try await VideoReader.watch(
                        url ?? self.url, at: address, name: "camera", helper: Files.helper)
                } catch let error as VideoError where error.message.contains("refused") && process.isRunning {
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
        }
    }

    private static func freePort() throws -> Int {
        let end = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(end) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                _ = unsafe bind(end, pointer, size)
                _ = unsafe getsockname(end, pointer, &size)
            }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private static let transportStream = "-c:v libx264 -preset ultrafast -tune zerolatency -g 10 -f mpegts"
    private static let parts =
        "-c:v mjpeg -q:v 5 -f mpjpeg -boundary_tag frame -content_type multipart/x-mixed-replace;boundary=frame"

    @Test(arguments: [transportStream, parts])
    func framesOfALiveSourceComeAndItsEndIsAnEnd(_ format: String) async throws {
        let camera = try Camera(format, frames: 40)
        defer { camera.end() }
        let reader = try await camera.watch()
        #expect(reader.info.width == 320 && reader.info.height == 240)
        #expect(reader.info.isLive && reader.info.frameCount == nil)
        var last = Int64.min
        var count = 0
        do {
            while let frame = try await reader.next() {
                #expect(frame.captureTime > last)
                last = frame.captureTime
                count += 1
            }
        } catch let error as VideoError {
            // Some containers say where they end; others break off.
            #expect(error.message.contains("ended too early"), "\(error.message)")
        }
        // What comes before the first whole picture is lost.
        #expect(count >= 25, "\(count) frames")
        #expect(last > 0)
    }

    /// However many a second.
    @Test func picturesOfACameraHaveTheTimeAtWhichTheyCome() async throws {
        let camera = try Camera(Self.parts, rate: 100)
        defer { camera.end() }
        let start = ContinuousClock.now
        let reader = try await camera.watch()
        var first: Int64?
        for _ in 0..<400 {
            let frame = try #require(try await reader.next())
            let time = frame.captureTime - (first ?? frame.captureTime)
            first = first ?? frame.captureTime
            #expect(Duration.microseconds(time) <= ContinuousClock.now - start, "ahead of the clock")
        }
        await reader.close()
    }

    /// Of what has come at once, the last frame was taken when it came, and the others as much earlier as they say.
    @Test func whatHasComeByTheTimeOfOpeningIsAsOldAsItSays() async throws {
        let camera = try Camera(Self.transportStream, frames: 100, isPaced: false)
        defer { camera.end() }
        let reader = try await camera.watch()
        let info = reader.info
        #expect(info.isLive && info.age >= .milliseconds(500) && info.age < .seconds(60), "\(info.age)")
        await reader.close()
    }

    @Test func aNameMeansTheAddressThatWasChecked() async throws {
        let camera = try Camera(Self.transportStream)
        defer { camera.end() }
        let reader = try await camera.watch("http://camera.invalid:\(camera.port)/live")
        #expect(try await reader.next() != nil)
        await reader.close()
    }

    @Test(arguments: ["http://127.0.0.1:9/", "rtsp://127.0.0.1:9/", "rtsp://camera.invalid:9/"])
    func noOtherPlaceIsCalled(_ url: String) async throws {
        // Somebody listens at the one that is allowed, and would answer.
        let camera = try Camera(Self.transportStream)
        defer { camera.end() }
        let error = await #expect(throws: VideoError.self) {
            _ = try await VideoReader.watch(url, at: camera.address, name: "camera", helper: Files.helper)
        }
        #expect(
            error?.message.hasPrefix("camera") == true || error?.message.hasPrefix(url) == true,
            "\(error?.message ?? "")")
        #expect(error?.message.contains("Permission denied") == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        "file:///etc/passwd", "ftp://127.0.0.1/", "concat:http://127.0.0.1/|file:///etc/passwd", "tcp://127.0.0.1:9",
        "/etc/passwd", "udp://127.0.0.1:9",
    ])
    func onlyFourSchemesAreCalled(_ url: String) async throws {
        let error = await #expect(throws: VideoError.self) {
            _ = try await VideoReader.watch(url, at: "127.0.0.1:9", name: "camera", helper: Files.helper)
        }
        #expect(
            error?.message.contains("only rtsp://, rtsps://, http:// and https:// are called") == true,
            "\(error?.message ?? "")")
    }

    @Test func aPasswordIsNotShown() async throws {
        let error = await #expect(throws: VideoError.self) {
            _ = try await VideoReader.watch(
                "rtsp://user:s3cret@127.0.0.1:9/a@b?key=t0ken", at: "127.0.0.1:9", name: "camera", helper: Files.helper)
        }
        #expect(error?.message.contains("s3cret") == false, "\(error?.message ?? "")")
        #expect(error?.message.contains("t0ken") == false, "\(error?.message ?? "")")
        #expect(error?.message.contains("rtsp://127.0.0.1:9/a@b") == true, "\(error?.message ?? "")")
    }

    @Test func closingEndsTheChildInTheMiddle() async throws {
        let camera = try Camera(Self.transportStream)
        defer { camera.end() }
        let reader = try await camera.watch()
        let pid = try #require(reader.processID)
        #expect(try await reader.next() != nil)
        await reader.close()
        #expect(kill(pid, 0) == -1 && errno == ESRCH)
    }

    @Test(arguments: ["127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "localhost:80", "1:2:3"])
    func anAddressIsAnAddress(_ address: String) async throws {
        let error = await #expect(throws: VideoError.self) {
            _ = try await VideoReader.watch("http://a/", at: address, name: "camera", helper: Files.helper)
        }
        #expect(error?.message.contains("is no ADDRESS:PORT") == true, "\(error?.message ?? "")")
    }
}
