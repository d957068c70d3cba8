import Foundation
import NIOCore
import Testing
import Video

/// Where things are.
enum Files {
    /// `make sanitize-video` names another one.
    static let helper =
        ProcessInfo.processInfo.environment["FRAMEMESH_VIDEO_HELPER"]
        ?? URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "framemesh-video").path
    static let vtest = "/usr/share/doc/opencv-doc/examples/data/vtest.avi"
    static let vtestFrames = 795

    static func announceVtest() -> Bool {
        let there = FileManager.default.fileExists(atPath: vtest)
        if !there { print("SKIPPED: tests with vtest.avi, there is no \(vtest) (dev/setup.sh test)") }
        return there
    }

    /// Runs `body` with an empty folder of its own.
    static func withFolder<Value>(_ body: (Folder) async throws -> Value) async throws -> Value {
        let url = FileManager.default.temporaryDirectory.appending(path: "framemesh-video-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: url) }
        return try await body(Folder(url: url))
    }
}

struct Folder {
    let url: URL

    func path(_ name: String) -> String { url.appending(path: name).path }

    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
    }

    func write(_ name: String, _ data: Data) throws -> String {
        try data.write(to: URL(fileURLWithPath: path(name)))
        return path(name)
    }

    /// A helper that does what a script says.
    func helper(_ body: String) async throws -> String {
        let path = path("helper-\(UUID().uuidString)")
        // Not by us: another child that starts meanwhile would inherit the open file, and it would be "busy".
        let status = try await run(
            "/bin/sh", ["-c", "printf '#!/bin/sh\n%s\n' \"$1\" > \"$0\" && chmod 755 \"$0\"", path, body])
        try #require(status == 0)
        return path
    }

    /// A file that the ffmpeg command makes; `arguments` come before its name.
    func make(_ name: String, _ arguments: String) async throws -> String {
        let status = try await run(
            "/usr/bin/env",
            ["ffmpeg", "-nostdin", "-v", "error", "-y"] + arguments.split(separator: " ").map(String.init) + [
                path(name)
            ])
        try #require(status == 0, "ffmpeg \(arguments) \(name)")
        return path(name)
    }

    /// A moving test picture.
    func video(
        _ name: String, size: String = "320x240", frames: Int = 20, rate: Int = 10,
        codec: String = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p"
    ) async throws -> String {
        try await make(name, "-f lavfi -i testsrc2=size=\(size):rate=\(rate) -frames:v \(frames) \(codec)")
    }
}

/// Runs a program to its end, without holding up a thread of the pool.
/// - Returns: its exit code.
func run(_ program: String, _ arguments: [String]) async throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    return try await withCheckedThrowingContinuation { continuation in
        process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
        do {
            try process.run()
        } catch {
            process.terminationHandler = nil
            continuation.resume(throwing: error)
        }
    }
}

/// All frames of a file.
func readAll(_ path: String) async throws -> (info: VideoInfo, frames: [VideoFrame], damaged: UInt64) {
    let reader = try await VideoReader.open(path, helper: Files.helper)
    var frames: [VideoFrame] = []
    while let frame = try await reader.next() { frames.append(frame) }
    await reader.close()
    return (reader.info, frames, reader.damagedPackets)
}

/// The one line of the error that reading the file ends with.
func readingError(_ path: String, helper: String = Files.helper) async -> String? {
    do {
        let reader = try await VideoReader.open(path, helper: helper)
        while try await reader.next() != nil {}
        await reader.close()
        return nil
    } catch {
        return "\(error)"
    }
}

/// False once the process has ended; one that only waits to be reaped by somebody else has.
func runs(_ pid: Int32) -> Bool {
    guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
        let state = status.split(separator: ")").last?.split(separator: " ").first
    else { return false }
    return state != "Z" && state != "X"
}

/// Looks until it is so; false if it is not after three minutes.
func becomes(_ condition: () throws -> Bool) async throws -> Bool {
    for _ in 0..<18_000 {
        if try condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}

/// A picture of one colour.
func picture(_ width: Int, _ height: Int, blue: UInt8, green: UInt8, red: UInt8) -> ByteBuffer {
    var bytes = ByteBuffer()
    bytes.reserveCapacity(width * height * 3)
    for _ in 0..<(width * height) { bytes.writeMultipleIntegers(blue, green, red) }
    return bytes
}

/// Blue, green and red at a place.
func color(_ frame: VideoFrame, _ info: VideoInfo, x: Int, y: Int) -> [Int] {
    let at = frame.pixels.readerIndex + (y * info.width + x) * 3
    return (0..<3).map { Int(frame.pixels.getInteger(at: at + $0, as: UInt8.self) ?? 0) }
}

func close(_ a: [Int], _ b: [Int], within limit: Int) -> Bool {
    zip(a, b).allSatisfy { abs($0 - $1) <= limit }
}
