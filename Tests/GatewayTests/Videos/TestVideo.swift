import Foundation
import NIOCore
import TestSupport

@testable import Gateway

/// Videos of tests, and what tests do with them.
enum TestVideo {
    /// 250 frames of falling digits, 188 KB.
    static var digits: Data { get throws { try Place.demo("digits.mp4") } }

    /// The same some times over, so that there is time to do something meanwhile.
    static func long(in folder: URL) async throws -> Data {
        try await made(folder.appending(path: "long.mp4"), before: ["-stream_loop", "3"])
    }

    /// Its first frames.
    static func short(in folder: URL) async throws -> Data {
        try await made(folder.appending(path: "short-\(UUID().uuidString).mp4"), after: ["-frames:v", "5"])
    }

    /// Its first frames, whose pixels are 4:3.
    static func wide(in folder: URL) async throws -> Data {
        try await made(folder.appending(path: "wide.mp4"), after: ["-frames:v", "5", "-aspect", "16:9"])
    }

    /// The width of a pixel to its height, as `4:3`.
    static func aspect(of video: Data, in folder: URL) async throws -> String {
        let file = folder.appending(path: "\(UUID().uuidString).mp4")
        try video.write(to: file)
        let probe = try await ChildProcess(
            URL(fileURLWithPath: "/usr/bin/ffprobe"),
            ["-v", "error", "-show_entries", "stream=sample_aspect_ratio", "-of", "csv=p=0", file.path]
        ).finish(within: .seconds(300))
        guard probe.code == 0 else { throw Failure("ffprobe: \(probe.errors)") }
        return probe.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The whole in a container that does not say how many frames it has.
    static func uncounted(in folder: URL) async throws -> Data {
        try await made(folder.appending(path: "uncounted.mkv"), after: ["-live", "1"])
    }

    /// Its first frames, ten times as slow, in a container that has only its duration and a nominal rate: by these it has 41.
    static func slow(in folder: URL) async throws -> Data {
        try await made(
            folder.appending(path: "slow.mkv"), after: ["-frames:v", "5", "-bsf:v", "setts=ts=TS*10"])
    }

    /// A part of an MP4 file that says nothing, of so many bytes.
    static func nothing(_ bytes: Int) -> Data {
        var box = ByteBuffer(integer: UInt32(bytes))
        box.writeString("free")
        box.writeRepeatingByte(0, count: bytes - 8)
        return Data(box.readableBytesView)
    }

    /// Red, green and blue of a part of its first frame.
    /// - Parameter part: WIDTH:HEIGHT:X:Y.
    static func color(of video: Data, _ part: String, in folder: URL) async throws -> [UInt8] {
        let file = folder.appending(path: "\(UUID().uuidString).mp4")
        let pixel = folder.appending(path: "\(UUID().uuidString).rgb")
        try video.write(to: file)
        let made = try await ChildProcess(
            URL(fileURLWithPath: "/usr/bin/ffmpeg"),
            ["-v", "error", "-i", file.path, "-frames:v", "1", "-vf", "crop=\(part),scale=1:1:flags=area"]
                + ["-pix_fmt", "rgb24", "-f", "rawvideo", pixel.path]
        ).finish(within: .seconds(300))
        guard made.code == 0 else { throw Failure("ffmpeg: \(made.errors)") }
        return [UInt8](try Data(contentsOf: pixel))
    }

    private static func made(_ file: URL, before: [String] = [], after: [String] = []) async throws -> Data {
        let source = Place.resources.appending(path: "demo/digits.mp4").path
        let made = try await ChildProcess(
            URL(fileURLWithPath: "/usr/bin/ffmpeg"),
            ["-v", "error"] + before + ["-i", source] + ["-c", "copy"] + after + [file.path]
        ).finish(within: .seconds(300))
        guard made.code == 0 else { throw Failure("ffmpeg: \(made.errors)") }
        return try Data(contentsOf: file)
    }
}

extension TestGateway {
    /// - Returns: the job's document.
    func uploadVideo(
        _ video: Data, _ query: String = "pipeline=detect", headers: [String: String] = [:]
    ) async throws -> [String: Any] {
        let answer = try await post("/v1/videos?\(query)", video, type: "video/mp4", headers: headers)
        guard answer.status == 201 else { throw Failure("upload: \(answer.status) \(answer.text)") }
        return try answer.json()
    }

    /// Waits for the end of a job.
    func finishedJob(_ id: String) async throws -> [String: Any] {
        try await job(id) { ["done", "failed", "cancelled"].contains($0["state"] as? String) }
    }

    /// Follows a job until it is as it should be.
    func job(_ id: String, until condition: @Sendable @escaping ([String: Any]) -> Bool) async throws -> [String: Any] {
        let text = try await within(.seconds(600), "job \(id) is not as it should be") { [base] in
            var events = try await EventReader("\(base)/v1/videos/\(id)/events")
            guard events.status == 200 else { throw Failure("events: \(events.status)") }
            return try await events.first { event in
                try ["progress", "end"].contains(event.name) && condition(event.json())
            }.data
        }
        return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
    }

    /// Sequences of all results there are.
    func sequences(_ id: String) async throws -> [Int] { try await lines(id).map { $0["sequence"] as? Int ?? -1 } }

    func lines(_ id: String) async throws -> [[String: Any]] {
        try await get("/v1/videos/\(id)/results?format=jsonl").text.split(separator: "\n").map { line in
            guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
                throw Failure("no object: \(line)")
            }
            return object
        }
    }
}

/// What `body` says, if it says it in time.
func within<Value: Sendable>(
    _ limit: Duration, _ failure: String, _ body: @Sendable @escaping () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { tasks in
        tasks.addTask { try await body() }
        tasks.addTask {
            try await Task.sleep(for: limit)
            throw Failure("\(failure) after \(limit)")
        }
        defer { tasks.cancelAll() }
        guard let value = try await tasks.next() else { throw CancellationError() }
        return value
    }
}

extension [String: Any] {
    /// A field by its path, e.g. `progress.frames_done`.
    subscript(path path: String) -> Int? {
        var value: Any? = self
        for key in path.split(separator: ".") { value = (value as? [String: Any])?[String(key)] }
        return (value as? NSNumber)?.intValue
    }

    var id: String { self["id"] as? String ?? "" }
    var state: String { self["state"] as? String ?? "" }
}
