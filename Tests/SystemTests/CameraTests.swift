import Foundation
import TestSupport
import Testing

/// `framemesh video` with a camera of this machine, which is emulated beneath FFmpeg.
@Suite(.serialized) struct CameraThroughTheMeshTests {
    /// - Parameter properties: of the camera.
    private static func video(
        _ mesh: LocalMesh, _ properties: [String: String] = [:], _ extra: [String] = []
    ) async throws -> Command.Result {
        let camera = try await EmulatedCamera(properties)
        defer { withExtendedLifetime(camera) {} }
        _ = try await camera.helper(Place.products.appending(path: "framemesh-video"))
        // The helper is the one that stands beside it.
        let program = camera.folder.appending(path: "framemesh")
        // A symbolic link would lead back to where the real one is.
        let copy = try ChildProcess(
            URL(fileURLWithPath: "/bin/sh"),
            ["-c", "ln \"$0\" \"$1\" 2>/dev/null || cp \"$0\" \"$1\"", Place.framemesh.path, program.path])
        try #require(try await copy.finish().code == 0)
        let arguments = ["video", "--coordinator", mesh.coordinator, "--pipeline", "detect", "--json"]
        return try await ChildProcess(
            program, arguments + extra + [EmulatedCamera.path], environment: camera.environment
        ).finish()
    }

    @Test(arguments: ["YUYV", "MJPG"]) func aCameraIsWatched(_ format: String) async throws {
        let mesh = try await LocalMesh.up(classifiers: 0)
        try await LocalMesh.with(mesh) { mesh in
            let begun = Date()
            let result = try await Self.video(mesh, ["FORMATS": format], ["--max-frames", "25"])
            #expect(result.code == 0, "\(result.errors)")
            let answers = try AnswerLine.all(result)
            VideoThroughTheMeshTests.expectOnceInOrder(answers, 25)
            #expect(answers.allSatisfy { ["ok", "dropped"].contains($0.status) })
            let done = answers.filter { $0.status == "ok" }
            #expect(!done.isEmpty && done.allSatisfy { $0.width == 640 && $0.height == 480 })
            #expect(answers.allSatisfy { $0.source == EmulatedCamera.path && $0.stream == "video984" })
            let times = answers.compactMap(\.captured_at)
            #expect(times.count == 25 && times == times.sorted(), "\(times)")
            // Not before it was opened; that is cut to seconds.
            #expect(times.allSatisfy { $0 >= begun.formatted(.iso8601).dropLast() }, "\(times)")
            #expect(times.allSatisfy { $0 <= Date().addingTimeInterval(60).formatted(.iso8601) }, "\(times)")
        }
    }

    @Test func aCameraSendsWhatItIsAskedFor() async throws {
        let mesh = try await LocalMesh.up(classifiers: 0)
        try await LocalMesh.with(mesh) { mesh in
            let asked = ["--camera-format", "mjpeg", "--camera-size", "320x240", "--max-frames", "25"]
            let result = try await Self.video(mesh, [:], asked)
            #expect(result.code == 0, "\(result.errors)")
            let done = try AnswerLine.all(result).filter { $0.status == "ok" }
            #expect(!done.isEmpty && done.allSatisfy { $0.width == 320 && $0.height == 240 })

            // It would send YUYV, and nobody would know.
            for (option, value, words) in [
                ("--camera-format", "mjpeg", "gives no mjpeg"),
                ("--camera-size", "800x600", "gives 640x480, not 800x600"),
            ] {
                let missing = try await Self.video(mesh, ["FORMATS": "YUYV"], [option, value])
                #expect(missing.code == 1 && missing.output.isEmpty && missing.errorLines.count == 1)
                let has = "; it has yuyv422 640x480 320x240 160x120"
                #expect(missing.errors.contains("\(EmulatedCamera.path): \(words)\(has)"), "\(missing.errors)")
            }
        }
    }

    @Test func aCameraThatFailsEndsIt() async throws {
        let folder = try Place.temporary("camera")
        defer { try? FileManager.default.removeItem(at: folder) }
        let output = folder.appending(path: "camera.mp4")
        let mesh = try await LocalMesh.up(classifiers: 0)
        try await LocalMesh.with(mesh) { mesh in
            let gone = try await Self.video(mesh, ["GONE_AFTER": "90"], ["--output", output.path])
            #expect(gone.code == 1, "\(gone.errors)")
            let answers = try AnswerLine.all(gone)
            VideoThroughTheMeshTests.expectOnceInOrder(answers, answers.count)
            let words = gone.errors.firstMatch(of: /video984: ended too early, after (\d+) frames: No such device/)
            // A machine that has much else to do loses some of the 90.
            let frames = try #require(words.flatMap { Int($0.1) }, "\(gone.errors)")
            #expect(!answers.isEmpty && answers.count <= frames && frames <= 90, "\(answers.count) of \(frames)")
            #expect(gone.errors.contains("the annotated video up to there is \(output.path)"), "\(gone.errors)")
            #expect(try await VideoThroughTheMeshTests.frameCount(output) > 0)

            let busy = try await Self.video(mesh, ["REFUSES": "format EBUSY"])
            #expect(busy.code == 1 && busy.output.isEmpty && busy.errorLines.count == 1, "\(busy.errors)")
            #expect(busy.errors.contains("\(EmulatedCamera.path): Device or resource busy"), "\(busy.errors)")
        }
    }
}
