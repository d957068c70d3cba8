import ArgumentParser

/// What is sent.
struct BenchPictureOptions: ParsableArguments {
    @Option(
        name: .customLong("input"), parsing: .upToNextOption,
        help: ArgumentHelp("Pictures or directories, taken in turn.", valueName: "files"))
    var inputs: [String] = []

    @Option(help: ArgumentHelp("In place of --input: pictures of this size that are made here.", valueName: "WxH"))
    var size: String?

    @Flag(help: "With --size: raw pixels (BGR) in place of JPEG.") var raw = false

    /// - Returns: nil: there are files.
    /// - Throws: `Fatal` unless it is one of the two.
    func madeSize() throws(Fatal) -> PictureSize? {
        guard let size else {
            if inputs.isEmpty { throw Fatal("name at least one --input, or a --size", status: .usage) }
            if raw { throw Fatal("--raw goes with --size", status: .usage) }
            return nil
        }
        guard inputs.isEmpty else { throw Fatal("--input and --size exclude each other", status: .usage) }
        guard let found = PictureSize(size) else {
            throw Fatal("--size '\(size)' is not WIDTHxHEIGHT, each up to \(PictureSize.maxSide)", status: .usage)
        }
        return found
    }
}
