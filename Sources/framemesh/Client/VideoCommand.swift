import ArgumentParser
import Client
import Mesh
import Messages
import Playback
import Video

struct VideoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "video", abstract: "Send a video through a mesh.",
        discussion: """
            Every frame is answered exactly once, in order. Under the policy 'lossless' frames go as fast as the answers \
            come; under 'latest' they go in real time, and of frames that wait only the newest stays; under 'deadline' \
            a frame that waited longer than --frame-deadline-ms is dropped.

            A URL (rtsp, rtsps, http, https) is called as it is: no playlists, no redirects to other hosts or schemes. What \
            says how long it is is a file, and played once; an MP4 with its index behind its frames plays if the server \
            gives parts of it (Range). Anything else is live, as a camera is: it goes on until Ctrl-C or --max-frames, the \
            policy is 'latest' unless another one is named, and a URL that is lost is called again (--limit \
            stream-attempts). So is a file that is served without its size: give it --policy lossless and --max-frames. \
            User, password and query of a URL are not shown; but whoever may list this \
            machine's processes sees the command line.

            A camera sends what it likes unless it is asked: of large pictures often few a second, which are more with \
            --camera-format mjpeg. If it has not the size or the format, that is an error, which says what it has; of frame \
            rates it takes the nearest.

            A file that is damaged gives a partial result: what cannot be decoded is left out, and how many packets were \
            damaged is said at the end. One that is cut off is an error behind its last frame.

            When the run is cut short (Ctrl-C, or no coordinator any more), what was answered until then is in the file \
            that --output names, and playable; without an answer nothing is written.

            Examples:
              framemesh video --pipeline track --output tracked.mp4 street.mp4
              framemesh video --pipeline cascade+track --json digits.mp4 > a.jsonl
              framemesh video --pipeline detect --policy latest --json street.mp4
              framemesh video --pipeline track --frame-rate 30 frames/
              framemesh video --pipeline detect --json /dev/video0
              framemesh video --pipeline track --output desk.mp4 \\
                --camera-format mjpeg --camera-size 1280x720 /dev/video0
              framemesh video --pipeline track --output door.mp4 rtsp://cam.example/door
              framemesh video --pipeline detect --max-frames 500 http://cam.example/live
              framemesh video --coordinator vision.example.org:8500 \\
                --pipeline track --encode jpeg:80 street.mp4

            Exit code 0 only if every frame was answered 'ok' or dropped by the policy that was asked for; 130 after Ctrl-C.
            """)

    @OptionGroup var coordinator: CoordinatorOption
    @OptionGroup var analyze: AnalyzeArguments

    @Flag(help: "One JSON object a line, in order.") var json = false

    @Option(help: ArgumentHelp("Write the video with what was found drawn on it, as MP4.", valueName: "file"))
    var output: String?

    @Option(
        name: .customLong("policy"),
        help: "What happens when frames come faster than answers (default: lossless; of live sources latest).")
    var chosenPolicy: StreamPolicy?

    @Option(help: "How frames travel: auto (raw on this host, JPEG elsewhere), raw, or jpeg:QUALITY.")
    var encode = FrameEncoding.auto

    @Flag(help: "Send each frame when its time comes (always so with --policy latest).") var realtime = false

    @Option(
        name: .customLong("frame-rate"),
        help: """
            Frames a second of a folder of pictures (default: \(Int(PictureSequence.assumedFrameRate))), or asked of a camera.
            """)
    var frameRate: Double?

    @Option(
        help: ArgumentHelp("Size of pictures that a camera is asked for (default: as it likes).", valueName: "WxH"),
        transform: CameraSize.read)
    var cameraSize: CameraSize?

    @Option(
        help: ArgumentHelp(
            "Format that a camera is asked for: mjpeg, yuyv422, or another name of FFmpeg's (default: as it likes).",
            valueName: "name"),
        transform: CameraFormat.read)
    var cameraFormat: CameraFormat?

    /// Below 1 too, which `validate` refuses.
    @Option(
        name: .customLong("max-frames"),
        help: ArgumentHelp("End after so many frames of the source.", valueName: "n"))
    var frameLimit: Int?

    private var maxFrames: UInt64? { frameLimit.flatMap { UInt64(exactly: $0) } }

    @Option(
        help: ArgumentHelp(
            "Authorities that may vouch for a source with TLS, PEM (default: the system's).", valueName: "file"))
    var sourceAuthorities: String?

    @Argument(
        help: "The video file, a folder of numbered pictures, a camera (/dev/video0), or a URL (rtsp://, https://, …).")
    var file: String

    private var isCamera: Bool { VideoReader.isCamera(file) && !PictureSource.isDirectory(file) }

    func validate() throws {
        if let frameLimit, frameLimit < 1 {
            throw ValidationError("--max-frames is \(frameLimit), it must be at least 1")
        }
        if sourceAuthorities != nil, !VideoInput.isURL(file) {
            throw ValidationError("--source-authorities is for a URL")
        }
        if chosenPolicy == .deadline, analyze.frameDeadlineMs == nil {
            throw ValidationError("--policy deadline needs --frame-deadline-ms")
        }
        if let frameRate {
            guard PictureSequence.frameRates.contains(frameRate) else {
                throw ValidationError(
                    """
                    --frame-rate must be \(PictureSequence.frameRates.lowerBound) to \
                    \(PictureSequence.frameRates.upperBound)
                    """)
            }
            guard PictureSource.isDirectory(file) || VideoReader.isCamera(file) else {
                throw ValidationError("--frame-rate is for a folder of pictures or a camera: a video has its own")
            }
        }
        for (name, isGiven) in [("size", cameraSize != nil), ("format", cameraFormat != nil)]
        where isGiven && !isCamera {
            throw ValidationError("--camera-\(name) is for a camera of this machine (/dev/video0)")
        }
        if let output, !VideoOutput.isNamedAsWritten(output) {
            throw ValidationError("--output \(output): MP4 is what is written; give it a name that ends in .mp4")
        }
    }

    func run() async throws {
        // Before a coordinator is looked for.
        let input = try VideoInput(file)
        try InputFile.check([input.path].compactMap(\.self))
        if let sourceAuthorities { try SourceCalling.check(authorities: sourceAuthorities) }
        try InputFile.check(isVideo: input)
        if let output {
            try VideoOutput.check(output)
            try InputFile.check([output], replaceNoneOf: [input.path].compactMap(\.self))
        }
        var options = try analyze.options()
        options.policy = chosenPolicy ?? .lossless
        try await Interrupts.run { [options] in try await send(input, options) }
    }

    private func send(_ input: VideoInput, _ options: AnalyzeOptions) async throws {
        let console = Console()
        var isTold = false
        do {
            try await send(input, options, console) { isTold = true }
        } catch {
            // Before there was anything that could be cut short.
            if Task.isCancelled, !isTold {
                console.note(AnswerPrinter.cutShort(0, of: nil, "frame"))
                if let output { console.note(VideoOutput.cutShort(output, written: 0)) }
            }
            throw error
        }
    }

    /// - Parameter cutShort: it was told how far the run came.
    private func send(
        _ input: VideoInput, _ options: AnalyzeOptions, _ console: Console, cutShort: () -> Void
    ) async throws {
        let helper = try Resources.videoHelper
        let (target, calling, sources) = try await coordinator.place(callsSources: VideoInput.isURL(file))
        let client = try await MeshClient.connect(to: target, calling)
        defer { client.close() }
        let pipeline = try client.pipeline(named: options.pipeline)
        var runner = VideoRunner(
            client: client, options: options, encoding: encode, realtime: realtime, output: output, helper: helper)
        runner.livePolicy = chosenPolicy ?? runner.livePolicy
        runner.frameRate = frameRate
        runner.cameraSize = cameraSize
        runner.cameraFormat = cameraFormat
        runner.maxFrames = maxFrames
        runner.calling = SourceCalling(
            limits: sources, dns: calling.channel.dns, authorities: sourceAuthorities, lost: console.noteLost)
        runner.resumed = console.noteResumed
        let printer = AnswerPrinter(console: console, json: json, tables: false, stages: pipeline.stages, total: nil)
        defer { console.clearProgress() }
        var policy = options.policy, isLive = false
        try await runner.run(
            input,
            opened: { info in
                let count = info.frameCount.flatMap { UInt64(exactly: $0) }
                printer.total = count.map { min($0, maxFrames ?? $0) } ?? maxFrames
                isLive = info.isLive
                if isLive { policy = runner.livePolicy }
            },
            answer: { try printer.print($0) }, damaged: { printer.noteDamaged($0) },
            cutShort: { written in
                cutShort()
                printer.noteCutShort()
                // The usual end of what has none.
                if isLive { try? printer.finish() }
                if let output { console.note(VideoOutput.cutShort(output, written: written)) }
            })
        try printer.finish()
        if let output { console.note("the annotated video is \(output)") }
        guard printer.summary.isSuccess(policy: policy) else { throw Fatal(nil) }
    }
}
