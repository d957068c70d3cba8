public import Foundation

/// A camera in a machine that has none: a library that is preloaded into a program (Tests/EmulatedCamera) answers for
/// the device, beneath FFmpeg's own `v4l2`. Its files go with this object.
public final class EmulatedCamera: Sendable {
    /// The device. No machine has so many.
    public static let path = "/dev/video984"
    /// Sides of the bright square that says a frame's number, and of its places, row after row.
    public static let squareSide = 16

    public let folder: URL
    /// Of a program that shall see the camera.
    public let environment: [String: String]

    /// Compiled once for all tests, beside them.
    private static let library: Task<String, any Error> = Task {
        let products = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent()
        let library = products.appending(path: "emulated-camera.so").path
        let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "EmulatedCamera").path
        // In one step: tests of another process may be using it.
        try await shell(
            """
            "$(command -v clang || command -v cc)" -std=c11 -O1 -shared -fPIC -o "$0.$$" "$1"/*.c && mv "$0.$$" "$0"
            """, library, sources)
        return library
    }

    /// - Parameter properties: what Tests/EmulatedCamera/settings.h lists, without `EMULATED_CAMERA_`, for example
    ///   `["GONE_AFTER": "20"]`.
    public init(_ properties: [String: String] = [:]) async throws {
        let compiled = try await Self.library.value
        folder = FileManager.default.temporaryDirectory.appending(path: "camera-\(UUID().uuidString)")
        // The names of what is preloaded end at spaces, and the project may be in a folder that has some.
        let library = folder.appending(path: "emulated-camera.so").path
        var environment = ["LD_PRELOAD": library, "EMULATED_CAMERA": Self.path]
        for (name, value) in properties { environment["EMULATED_CAMERA_\(name)"] = value }
        self.environment = environment
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: library, withDestinationPath: compiled)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// A `framemesh-video` that sees the camera: whoever starts it hands down no environment.
    /// - Parameter real: the executable of that name.
    public func helper(_ real: URL) async throws -> URL {
        let helper = folder.appending(path: "framemesh-video")
        let exports = environment.map { "export \($0.key)='\($0.value)'\n" }.joined()
        // Not by us: another child that starts meanwhile would inherit the open file, and it would be "busy".
        try await Self.shell(
            "printf '%s' \"$1\" > \"$0\" && chmod 755 \"$0\"", helper.path,
            "#!/bin/sh\n\(exports)exec '\(real.path)' \"$@\"\n")
        return helper
    }

    private static func shell(_ script: String, _ arguments: String...) async throws {
        let result = try await ChildProcess(URL(fileURLWithPath: "/bin/sh"), ["-c", script] + arguments).finish()
        guard result.code == 0 else { throw Failure("\(script): \(result.errors)") }
    }
}
