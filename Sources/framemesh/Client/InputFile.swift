import Glibc

/// What the command line names is looked at before anything is asked of others.
enum InputFile {
    /// - Throws: `Fatal` that names the first file that is not there or may not be read, and how many more there are.
    static func check(_ sources: [PictureSource]) throws(Fatal) {
        try check(sources.compactMap(\.path))
    }

    static func check(_ paths: [String]) throws(Fatal) {
        let troubles = paths.compactMap(trouble)
        guard let first = troubles.first else { return }
        let more = troubles.count == 1 ? "" : " (and \(Count.of(troubles.count - 1, "more file"))); nothing was sent"
        throw Fatal(first + more, status: .usage)
    }

    /// Which file it is, by whatever name.
    struct Identity: Hashable {
        private let device: UInt64
        private let number: UInt64

        /// nil: there is none.
        init?(_ path: String) {
            var status = stat()
            guard unsafe stat(path, &status) == 0 else { return nil }
            (device, number) = (UInt64(status.st_dev), UInt64(status.st_ino))
        }
    }

    /// - Throws: `Fatal` that names the first of the files to be written that is one of those that are read.
    static func check(_ written: [String], replaceNoneOf read: [String]) throws(Fatal) {
        let originals = Set(read.compactMap { Identity($0) })
        guard let path = written.first(where: { Identity($0).map(originals.contains) ?? false }) else { return }
        throw Fatal("\(path) would be written over, and it is read: name another place", status: .usage)
    }

    /// - Throws: `Fatal` for a picture that is named in place of a video.
    static func check(isVideo input: VideoInput) throws(Fatal) {
        guard case .file(let path) = input, FileSignature(ofFile: path) == .picture, !isNamedAsPictures(path) else {
            return
        }
        throw Fatal(
            "\(path) is a picture: `framemesh send` sends pictures (a folder of numbered ones is a video)",
            status: .usage)
    }

    /// JPEGs one behind the other begin as one does, and are told by their name (docs/video.md).
    private static func isNamedAsPictures(_ path: String) -> Bool {
        path.hasSuffix(".mjpeg") || path.hasSuffix(".mjpg")
    }

    private static func trouble(_ path: String) -> String? {
        FileAccess.objection(toReading: path).map { "cannot read \(path): \($0)" }
    }
}
