import Foundation
import TestSupport
import Testing

/// Whole videos through real processes: every frame is answered exactly once, in order.
@Suite(.serialized) struct VideoThroughTheMeshTests {
    static let vtestFrames = 795
    /// 75 frames of digits.mp4.
    static let pause = Duration.seconds(3)

    private static func announceSkip(models: Bool) -> Bool {
        let there = Place.exists(Place.vtest) && (!models || Place.hasSharedModels)
        if !there { print("SKIPPED: video tests, there is no \(Place.vtest.path) or \(Place.models.path)") }
        return there
    }

    static func expectOnceInOrder(_ answers: [AnswerLine], _ count: Int) {
        #expect(answers.count == count)
        #expect(answers.map(\.sequence) == (0..<UInt64(answers.count)).map { $0 })
    }

    /// Frames of a video file, counted by decoding it.
    static func frameCount(_ file: URL) async throws -> Int {
        let probe = try ChildProcess(
            URL(fileURLWithPath: "/usr/bin/env"),
            [
                "ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries",
                "stream=nb_read_frames", "-of", "csv=p=0", file.path,
            ])
        let text = try await probe.finish().output
        guard let count = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw Failure("ffprobe said '\(text)' of \(file.path)")
        }
        return count
    }

    /// What a video file says of its pictures.
    private struct Shape {
        var width, height: Int
        /// Frames a second.
        var rate: Double
        /// Seconds.
        var duration: Double

        static func of(_ file: URL) async throws -> Shape {
            let probe = try ChildProcess(
                URL(fileURLWithPath: "/usr/bin/env"),
                [
                    "ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
                    "stream=width,height,avg_frame_rate,duration", "-of", "csv=p=0", file.path,
                ])
            let text = try await probe.finish().output
            // The rate is a fraction.
            let numbers = text.split(whereSeparator: { ",/\n".contains($0) }).compactMap { Double($0) }
            guard numbers.count == 5 else { throw Failure("ffprobe said '\(text)' of \(file.path)") }
            return Shape(
                width: Int(numbers[0]), height: Int(numbers[1]), rate: numbers[2] / numbers[3], duration: numbers[4])
        }
    }

    /// Times are exact to 11 microseconds; a wrong rate makes the last frame longer or shorter.
    private static func expectSameShape(_ annotated: URL, as input: URL) async throws {
        let (seen, expected) = try await (Shape.of(annotated), Shape.of(input))
        #expect(seen.width == expected.width && seen.height == expected.height, "\(seen), not \(expected)")
        #expect(abs(seen.duration - expected.duration) < 0.001, "\(seen), not \(expected)")
        #expect(abs(seen.rate - expected.rate) < 0.001, "\(seen), not \(expected)")
    }

    @Test(.enabled(if: announceSkip(models: true)))
    func peopleAreTrackedThroughAWholeVideo() async throws {
        let folder = try Place.temporary("video")
        defer { try? FileManager.default.removeItem(at: folder) }
        let annotated = folder.appending(path: "annotated.mp4")
        let mesh = try await LocalMesh.up(
            detectors: 2, classifiers: 0, detectModel: "yolo-fastest-1.1", classifyModel: nil)
        let answers = try await LocalMesh.with(mesh) { mesh in
            let result = try await Command.run([
                "video", "--coordinator", mesh.coordinator, "--pipeline", "track", "--json", "--output",
                annotated.path, Place.vtest.path,
            ])
            #expect(result.code == 0, "\(result.errors.suffix(2000))")
            return try AnswerLine.all(result)
        }
        Self.expectOnceInOrder(answers, Self.vtestFrames)
        #expect(answers.allSatisfy { $0.status == "ok" && $0.width == 768 && $0.height == 576 })
        var lives: [UInt64: Int] = [:]
        for answer in answers {
            let ids = (answer.detections ?? []).compactMap(\.track_id)
            #expect(Set(ids).count == ids.count, "frame \(answer.sequence) has a track twice")
            for id in ids { lives[id, default: 0] += 1 }
        }
        // Ten frames a second: people who are followed for five seconds and more.
        #expect(lives.values.filter { $0 >= 50 }.count >= 5, "lives of the tracks: \(lives.values.sorted())")
        #expect(try await Self.frameCount(annotated) == Self.vtestFrames)
        try await Self.expectSameShape(annotated, as: Place.vtest)
    }

    /// Of a rate and a size that nothing here assumes.
    @Test func theAnnotatedVideoHasTheSizeRateAndDurationOfTheInput() async throws {
        let folder = try Place.temporary("shape")
        defer { try? FileManager.default.removeItem(at: folder) }
        let input = folder.appending(path: "input.mp4"), annotated = folder.appending(path: "annotated.mp4")
        let ffmpeg = try ChildProcess(
            URL(fileURLWithPath: "/usr/bin/env"),
            [
                "ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=480x270:rate=12",
                "-frames:v", "24", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", input.path,
            ])
        try #require(try await ffmpeg.finish().code == 0)
        let mesh = try await LocalMesh.up(classifiers: 0)
        let answers = try await LocalMesh.with(mesh) { mesh in
            let result = try await Command.run([
                "video", "--coordinator", mesh.coordinator, "--pipeline", "detect", "--json", "--output",
                annotated.path, input.path,
            ])
            #expect(result.code == 0, "\(result.errors.suffix(2000))")
            return try AnswerLine.all(result)
        }
        Self.expectOnceInOrder(answers, 24)
        #expect(try await Self.frameCount(annotated) == 24)
        let shape = try await Shape.of(input)
        #expect(shape.width == 480 && shape.height == 270 && shape.rate == 12 && shape.duration == 2, "\(shape)")
        try await Self.expectSameShape(annotated, as: input)
    }

    @Test func aDetectorThatIsKilledCostsNoFrame() async throws {
        let mesh = try await LocalMesh.up(detectors: 2)
        let (answers, errors) = try await LocalMesh.with(mesh) { mesh in
            let video = try Command([
                "video", "--coordinator", mesh.coordinator, "--pipeline", "track", "--json",
                Place.demo.appending(path: "digits.mp4").path,
            ])
            _ = try await video.line(startingWith: "{")
            let detectors = ProcessTable.child(of: mesh.command.pid, role: "detector")
            try #require(detectors.count == 2)
            // Both stand still until each has calls; so the one that dies has some.
            for pid in detectors { kill(pid, SIGSTOP) }
            try await mesh.untilDetectorsAreBusy()
            kill(detectors[0], SIGKILL)
            kill(detectors[1], SIGCONT)
            let result = try await video.finish()
            #expect(result.code == 0, "\(result.errors.suffix(2000))")
            // `up` has noticed, and starts another one.
            let end = ContinuousClock.now + .seconds(90)
            while ProcessTable.child(of: mesh.command.pid, role: "detector").count < 2, ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(50))
            }
            let after = ProcessTable.child(of: mesh.command.pid, role: "detector")
            #expect(after.count == 2 && !after.contains(detectors[0]))
            #expect(mesh.command.errorText.contains("\(detectors[0])") || mesh.command.errorText.contains("killed"))
            return (try AnswerLine.all(result), result.errors)
        }
        Self.expectOnceInOrder(answers, try await Self.frameCount(Place.demo.appending(path: "digits.mp4")))
        #expect(answers.allSatisfy { $0.status == "ok" }, "\(errors.suffix(2000))")
        // The run says what happened.
        #expect(errors.contains("another node"), "\(errors.suffix(2000))")
    }

    @Test func aVideoThatIsDamagedSaysSo() async throws {
        let folder = try Place.temporary("damaged")
        defer { try? FileManager.default.removeItem(at: folder) }
        let good = Place.demo.appending(path: "digits.mp4")
        let frames = try await Self.frameCount(good)
        var data = try Data(contentsOf: good)
        for at in [20_000, 60_000, 90_000] { data[at] ^= 0xFF }
        let file = folder.appending(path: "damaged.mp4")
        try data.write(to: file)
        let mesh = try await LocalMesh.up()
        let results = try await LocalMesh.with(mesh) { mesh in
            var results: [Command.Result] = []
            for file in [file, good] {
                results.append(
                    try await Command.run(
                        ["video", "--coordinator", mesh.coordinator, "--pipeline", "detect", "--json", file.path]))
            }
            return results
        }
        for result in results {
            #expect(result.code == 0, "\(result.errors)")
            Self.expectOnceInOrder(try AnswerLine.all(result), frames)
        }
        #expect(
            results[0].errors.contains("3 packets were damaged, \(frames) of \(frames) frames decoded and answered"),
            "\(results[0].errors)")
        #expect(!results[1].errors.contains("damaged"), "\(results[1].errors)")
    }

    @Test func anInterruptedRunLeavesWhatWasAnswered() async throws {
        let folder = try Place.temporary("interrupted")
        defer { try? FileManager.default.removeItem(at: folder) }
        let output = folder.appending(path: "part.mp4")
        let mesh = try await LocalMesh.up()
        let answers = try await LocalMesh.with(mesh) { mesh in
            let video = try Command([
                "video", "--coordinator", mesh.coordinator, "--pipeline", "track", "--json", "--output", output.path,
                Place.demo.appending(path: "digits.mp4").path,
            ])
            _ = try await video.line(startingWith: "{")
            // So that it does not come to its end before the signal comes.
            let detectors = ProcessTable.child(of: mesh.command.pid, role: "detector")
            for pid in detectors { kill(pid, SIGSTOP) }
            video.signal(SIGINT)
            let result = try await video.finish()
            for pid in detectors { kill(pid, SIGCONT) }
            #expect(result.code == 130, "\(result.errors)")
            let answers = try AnswerLine.all(result)
            let all = try await Self.frameCount(Place.demo.appending(path: "digits.mp4"))
            #expect(result.errors.contains("\(answers.count) of \(all) frames w"), "\(result.errors)")
            #expect(result.errors.contains(output.path), "\(result.errors)")
            return answers.count
        }
        #expect(answers > 0)
        // The frame that was just written may not have been told of any more.
        let written = try await Self.frameCount(output)
        #expect(written == answers || written == answers + 1)
    }

    /// While it calls its source, and while it waits for the first answer.
    @Test(arguments: [false, true])
    func aRunThatIsInterruptedBeforeAnyAnswerLeavesNothing(_ isOpen: Bool) async throws {
        let folder = try Place.temporary("nothing")
        defer { try? FileManager.default.removeItem(at: folder) }
        let output = folder.appending(path: "part.mp4")
        // Takes the call, and says nothing.
        let script = """
            import socket
            server = socket.create_server(("127.0.0.1", 0))
            print("port", server.getsockname()[1], flush=True)
            call = server.accept()
            print("called", flush=True)
            input()
            """
        let silent = try ChildProcess(URL(fileURLWithPath: "/usr/bin/env"), ["python3", "-c", script], input: .open)
        defer { silent.signal(SIGKILL) }
        let port = try await silent.line(startingWith: "port ")
        let source = isOpen ? Place.demo.appending(path: "digits.mp4").path : "http://127.0.0.1:\(port)/a.mp4"
        let mesh = try await LocalMesh.up(classifiers: 0)
        let result = try await LocalMesh.with(mesh) { mesh in
            let detectors = ProcessTable.child(of: mesh.command.pid, role: "detector")
            for pid in detectors { kill(pid, SIGSTOP) }
            defer { for pid in detectors { kill(pid, SIGCONT) } }
            let video = try Command([
                "video", "--coordinator", mesh.coordinator, "--pipeline", "track", "--output", output.path, source,
            ])
            if isOpen {
                try await mesh.untilDetectorsAreBusy()
            } else {
                _ = try await silent.line(startingWith: "called")
            }
            video.signal(SIGINT)
            return try await video.finish()
        }
        #expect(result.code == 130, "\(result.errors)")
        #expect(result.errors.contains(isOpen ? "0 of " : "0 frames were answered"), "\(result.errors)")
        let words = "nothing was written to \(output.path), and no part of it is left"
        #expect(result.errors.contains(words), "\(result.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func aLiveStreamReportsEachFrameThatItDropped() async throws {
        let mesh = try await LocalMesh.up(extra: ["--workers", "1"])
        let file = Place.demo.appending(path: "digits.mp4")
        let answers = try await LocalMesh.with(mesh) { mesh in
            let video = try Command([
                "video", "--coordinator", mesh.coordinator, "--pipeline", "cascade", "--policy", "latest", "--json",
                file.path,
            ])
            _ = try await video.line(startingWith: "{")
            // No detector for some seconds, while frames come at the video's rate: far more than may run at once.
            let detectors = ProcessTable.child(of: mesh.command.pid, role: "detector")
            try #require(detectors.count == 1)
            kill(detectors[0], SIGSTOP)
            try await mesh.untilDetectorsAreBusy()
            try await Task.sleep(for: Self.pause)
            kill(detectors[0], SIGCONT)
            let result = try await video.finish()
            #expect(result.code == 0, "\(result.errors.suffix(2000))")
            return try AnswerLine.all(result)
        }
        Self.expectOnceInOrder(answers, try await Self.frameCount(file))
        let dropped = answers.filter { $0.status == "dropped" }
        #expect(!dropped.isEmpty, "nothing was dropped while the detector stood still")
        #expect(dropped.allSatisfy { $0.cause?.contains("replaced") == true })
        #expect(answers.allSatisfy { ["ok", "dropped"].contains($0.status) })
        #expect(answers.last?.status == "ok", "the newest frame wins")
    }

    /// A folder of pictures is a video: frames that are missing are missing, and the annotated video lasts as long.
    @Test func numberedPicturesAreAVideo() async throws {
        let folder = try Place.temporary("pictures")
        defer { try? FileManager.default.removeItem(at: folder) }
        let pictures = folder.appending(path: "frames"), output = folder.appending(path: "annotated.mp4")
        try FileManager.default.createDirectory(at: pictures, withIntermediateDirectories: true)
        let ffmpeg = try ChildProcess(
            URL(fileURLWithPath: "/usr/bin/env"),
            [
                "ffmpeg", "-nostdin", "-v", "error", "-i", Place.demo.appending(path: "digits.mp4").path, "-frames:v",
                "21", "-q:v", "2", pictures.appending(path: "f%03d.jpg").path,
            ])
        try #require(try await ffmpeg.finish().code == 0)
        for missing in ["f005.jpg", "f006.jpg"] {
            try FileManager.default.removeItem(at: pictures.appending(path: missing))
        }
        let mesh = try await LocalMesh.up()
        let answers = try await LocalMesh.with(mesh) { mesh in
            let result = try await Command.run([
                "video", "--coordinator", mesh.coordinator, "--pipeline", "track", "--json", "--frame-rate", "10",
                "--output", output.path, pictures.path,
            ])
            #expect(result.code == 0, "\(result.errors.suffix(2000))")
            return try AnswerLine.all(result)
        }
        Self.expectOnceInOrder(answers, 19)
        #expect(answers.allSatisfy { $0.status == "ok" && $0.width == 640 && $0.height == 480 })
        #expect(answers.contains { !($0.detections ?? []).isEmpty })
        #expect(try await Self.frameCount(output) == 19)
        let probe = try ChildProcess(
            URL(fileURLWithPath: "/usr/bin/env"),
            ["ffprobe", "-v", "error", "-show_entries", "packet=pts_time", "-of", "csv=p=0", output.path])
        let times = try await probe.finish().output.split(whereSeparator: \.isNewline)
            .compactMap { Double($0.split(separator: ",")[0]) }.sorted()
        #expect(times.count == 19)
        for (time, frame) in zip(times, Array(0...3) + Array(6...20)) {
            #expect(abs(time - Double(frame) / 10) < 0.001, "frame \(frame) is at \(time) s")
        }
    }
}
