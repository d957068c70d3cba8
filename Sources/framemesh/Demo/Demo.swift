import Client
import Foundation
import Mesh
import Messages
import NIOCore
import Results
import Video

/// Pictures and a video through a local mesh, shown as tables.
struct Demo: Sendable {
    let output: String
    private let pictures: [PictureSource]
    private let video: String
    private let helper: String
    private let annotator: PictureAnnotator
    private let console = Console()

    init(output: String) throws {
        let media = try Resources.demo
        self.output = output
        pictures = try PictureSource.discover([media])
        video = media + "/digits.mp4"
        helper = try Resources.videoHelper
        annotator = try PictureAnnotator(folder: output)
    }

    func run() async throws {
        let start = ContinuousClock.now
        let plan = MeshPlan(cores: ProcessorCount.usable, logLevel: "warning")
        console.note(
            "starting a mesh: 1 coordinator, \(Count.of(plan.detectors, "detector")), "
                + Count.of(plan.classifiers, "classifier"))
        try await LocalMesh.with(plan, say: console.note) { addresses in
            let coordinator = addresses.coordinator
            console.note("ready after \(seconds(since: start)) s: the coordinator is at \(coordinator)")
            let client = try await MeshClient.connect(to: try Target(parsing: coordinator))
            defer { client.close() }
            defer { console.clearProgress() }
            let pictures = try await sendPictures(client)
            let video = try await sendVideo(client)
            guard pictures.isSuccess(policy: .lossless), video.isSuccess(policy: .lossless) else { throw Fatal(nil) }
        }
        try console.print("The mesh has ended. Look at \(output)/*.jpg and \(annotatedVideo).")
    }

    /// Reads the numbers of each picture.
    private func sendPictures(_ client: MeshClient) async throws -> RunSummary {
        var sender = PictureSender(client: client, options: AnalyzeOptions(pipeline: "cascade"))
        sender.annotator = annotator
        var found = Table("picture", "numbers read, left to right", "digits>", "size>", "total ms>")
        var times = TimingTable()
        let run = DemoRun(console, total: UInt64(pictures.count))
        try await sender.send(pictures) { answer in
            let response = answer.response
            run.count(response)
            times.add(response.timing)
            let total = response.timing.first { $0.stage == "total" }?.microseconds ?? 0
            found.add(
                URL(fileURLWithPath: answer.source).lastPathComponent,
                response.status == .ok
                    ? NumberReader.numbers(response.detections).joined(separator: " ") : response.cause,
                "\(response.detections.count)", "\(response.width)×\(response.height)",
                TimingTable.milliseconds(Double(total)))
        }
        try show("Pictures, pipeline 'cascade': detect, then classify each box", run, found, times, "picture")
        return run.summary
    }

    /// Follows digits through the video.
    private func sendVideo(_ client: MeshClient) async throws -> RunSummary {
        var runner = VideoRunner(
            client: client, options: AnalyzeOptions(pipeline: "cascade+track"), helper: helper)
        runner.output = annotatedVideo
        var tracks = TrackList()
        var times = TimingTable()
        let run = DemoRun(console, total: nil)
        try await runner.run(.file(video), opened: { run.total = $0.frameCount.flatMap { UInt64(exactly: $0) } }) {
            answer in
            run.count(answer.response)
            times.add(answer.response.timing)
            tracks.add(answer.response)
        }
        try show("Video, pipeline 'cascade+track': the same, and ids that last", run, tracks.table, times, "frame")
        return run.summary
    }

    private var annotatedVideo: String { output + "/digits.mp4" }

    private func show(_ title: String, _ run: DemoRun, _ found: Table, _ times: TimingTable, _ unit: String) throws {
        console.clearProgress()
        for block in [title, found.text, times.table.text, run.text(unit: unit)] { try console.print(block + "\n") }
        for note in run.summary.notes { console.note(note) }
    }

    private func seconds(since start: ContinuousClock.Instant) -> String {
        JSONText.number((.now - start) / .seconds(1), decimals: 1)
    }
}
