import ArgumentParser
import Client
import Messages

struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Send pictures through a mesh.",
        discussion: """
            Files are answered in the order given. A directory stands for the JPEG, PNG and WebP files in it and below, \
            sorted by path; - is a picture on standard input. Files of at most 64 MiB.

            Examples:
              framemesh send --pipeline cascade pictures/*.jpg
              framemesh send --pipeline detect+classify --json pictures/ > answers.jsonl
              framemesh send --pipeline detect --annotate found/ holiday/
              curl -s https://example.org/cat.jpg | framemesh send --pipeline classify -
              framemesh send --pipeline detect --encoding nv12 \\
                --width 1280 --height 720 frame.nv12
              framemesh send --pipeline track --frame-rate 10 --json frames/

            Exit code 0 only if every picture was answered 'ok'.
            """)

    @OptionGroup var coordinator: CoordinatorOption
    @OptionGroup var analyze: AnalyzeArguments

    @Flag(help: "One JSON object a line, in order.") var json = false

    @Option(
        name: [.customLong("annotate"), .customLong("output")],
        help: ArgumentHelp("Write each picture with what was found drawn on it into this directory.", valueName: "dir"))
    var annotate: String?

    @Option(help: "Pictures that are on their way at once.") var concurrency = PictureSender.defaultConcurrency

    @Flag(help: "Send all pictures as one stream (always so where the pipeline needs it).") var stream = false

    @Option(help: "Pictures a second of a stream, which trackers go by.")
    var frameRate = PictureSender.defaultFrameRate

    @Option(help: "What files are; for raw pixels give --width and --height.") var encoding: Encoding?
    @Option(help: "Of raw pictures, pixels.") var width: Int?
    @Option(help: "Of raw pictures, pixels.") var height: Int?
    @Option(help: "Of raw pictures, bytes from row to row. (default: rows are packed)") var rowStride: Int?

    @Argument(help: ArgumentHelp("Pictures, directories, or - for standard input.", valueName: "files"))
    var files: [String]

    /// One picture in a quarter of an hour, or a thousand a second.
    static let frameRates = 0.001...1000.0

    func validate() throws {
        guard (1...PictureSender.maxConcurrency).contains(concurrency) else {
            throw ValidationError("--concurrency \(concurrency) is not between 1 and \(PictureSender.maxConcurrency)")
        }
        guard Self.frameRates.contains(frameRate) else {
            throw ValidationError(
                "--frame-rate \(frameRate) is not between \(Self.frameRates.lowerBound) and \(Self.frameRates.upperBound)"
            )
        }
        let isRaw = encoding?.isRaw ?? false
        if isRaw, width == nil || height == nil {
            throw ValidationError("raw pictures need --width and --height")
        }
        if !isRaw, width != nil || height != nil || rowStride != nil {
            throw ValidationError("--width, --height and --row-stride are for raw pictures; give --encoding")
        }
    }

    func run() async throws {
        let raw = try rawPicture
        if files.contains(where: VideoInput.isURL) {
            throw Fatal(
                "a URL is no file: `framemesh video` takes videos and live sources by theirs; - is a picture on standard input",
                status: .usage)
        }
        let sources = try PictureSource.discover(files, anyExtension: raw != nil)
        // Before a coordinator is looked for.
        try InputFile.check(sources)
        if let annotate {
            var names = OutputNames()
            let written = sources.map { PictureAnnotator.path(of: names.next(for: $0), in: annotate) }
            try InputFile.check(written, replaceNoneOf: sources.compactMap(\.path))
        }
        let options = try analyze.options()
        try await Interrupts.run { try await send(sources, raw, options) }
    }

    private var rawPicture: RawPicture? {
        get throws {
            guard let encoding, encoding.isRaw, let width, let height else { return nil }
            return try RawPicture(encoding: encoding, width: width, height: height, rowStride: rowStride ?? 0)
        }
    }

    private func send(_ sources: [PictureSource], _ raw: RawPicture?, _ options: AnalyzeOptions) async throws {
        let client = try await coordinator.connect(sendsStreams: true)
        defer { client.close() }
        let pipeline = try client.pipeline(named: options.pipeline)
        var sender = PictureSender(client: client, options: options, concurrency: concurrency)
        sender.raw = raw
        sender.frameRate = frameRate
        sender.annotator = try annotate.map { try PictureAnnotator(folder: $0) }
        let console = Console()
        sender.resumed = console.noteResumed
        let printer = AnswerPrinter(
            console: console, json: json, tables: true, stages: pipeline.stages, unit: "picture",
            total: UInt64(sources.count))
        defer { console.clearProgress() }
        do {
            if stream || pipeline.needsStream {
                try await sender.stream(sources, named: "send") { try printer.print($0) }
            } else {
                try await sender.send(sources) { try printer.print($0) }
            }
        } catch {
            printer.noteCutShort()
            throw error
        }
        try printer.finish()
        if let annotate { console.note("annotated pictures are in \(annotate)") }
        guard printer.summary.isSuccess(policy: .lossless) else { throw Fatal(nil) }
    }
}
