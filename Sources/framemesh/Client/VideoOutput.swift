import Foundation

/// The name of an annotated video.
enum VideoOutput {
    /// MP4 goes by these names, or by one without an extension.
    private static let extensions: Set<String> = ["", "mp4", "m4v"]

    static func isNamedAsWritten(_ path: String) -> Bool {
        extensions.contains(URL(fileURLWithPath: path).pathExtension.lowercased())
    }

    /// What became of it where a run does not come to its end.
    /// - Parameter written: its frames; 0: there is no file.
    static func cutShort(_ path: String, written: Int) -> String {
        written == 0
            ? "nothing was written to \(path), and no part of it is left"
            : "the annotated video up to there is \(path), with \(Count.of(written, "frame"))"
    }

    /// - Throws: `Fatal` that names the folder that is not there.
    static func check(_ path: String) throws(Fatal) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        var isDirectory: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory), isDirectory.boolValue
        else { throw Fatal("cannot write \(path): there is no folder \(folder)", status: .usage) }
    }
}
