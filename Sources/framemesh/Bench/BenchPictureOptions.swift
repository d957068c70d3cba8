import ArgumentParser

/// What is sent.
struct BenchPictureOptions: ParsableArguments {
    @Option(
        name: .customLong("input"), parsing: .upToNextOption,
        help: ArgumentHelp("Pictures or directories, taken in turn.", valueName: "files"))
    var inputs: [String] = []

    @Option(
        help: ArgumentHelp(
            "Pictures are stretched to this size; without --input, made here (default then: \(Self.usualSize)).",
            valueName: "WxH"))
    var size: String?

    @Flag(help: "Raw pixels (BGR) in place of JPEG, or of the files as they are.") var raw = false

    /// Of pictures that are made here, where none is named.
    static let usualSize = "640x480"

    /// - Parameter usual: without files, and where none is named.
    /// - Returns: nil: files as they are, or as large as they are.
    /// - Throws: `Fatal` for a size that is none.
    func chosenSize(usual: String = usualSize) throws(Fatal) -> PictureSize? {
        guard let size = size ?? (inputs.isEmpty ? usual : nil) else { return nil }
        guard let found = PictureSize(size) else {
            throw Fatal("--size '\(size)' is not WIDTHxHEIGHT, each up to \(PictureSize.maxSide)", status: .usage)
        }
        return found
    }
}
