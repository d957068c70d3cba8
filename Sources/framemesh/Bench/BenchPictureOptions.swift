import ArgumentParser

/// What is sent.
struct BenchPictureOptions: ParsableArguments {
    @Option(
        name: .customLong("input"), parsing: .upToNextOption,
        help: ArgumentHelp("Pictures or directories, taken in turn.", valueName: "files"))
    var inputs: [String] = []

    @Option(
        help: ArgumentHelp(
            "Pictures are stretched to this size; without --input, made here.", valueName: "WxH"))
    var size: String?

    @Flag(help: "Raw pixels (BGR) in place of JPEG, or of the files as they are.") var raw = false

    /// - Parameter usual: without files, and where none is named.
    /// - Returns: nil: files as they are, or as large as they are.
    /// - Throws: `Fatal` unless there are files or a size.
    func chosenSize(usual: String? = nil) throws(Fatal) -> PictureSize? {
        guard let size = size ?? (inputs.isEmpty ? usual : nil) else {
            if inputs.isEmpty { throw Fatal("name at least one --input, or a --size", status: .usage) }
            return nil
        }
        guard let found = PictureSize(size) else {
            throw Fatal("--size '\(size)' is not WIDTHxHEIGHT, each up to \(PictureSize.maxSide)", status: .usage)
        }
        return found
    }
}
