import Glibc
import Vision

/// What a file is by its first bytes, where it is one of the kinds that `send` or `video` takes.
enum FileSignature: Sendable {
    case picture, video

    /// So many bytes are enough to tell.
    static let byteCount = 189

    init?(_ bytes: some Collection<UInt8>) {
        let start = Array(bytes.prefix(Self.byteCount))
        func has(_ text: String, at place: Int = 0) -> Bool { start.dropFirst(place).starts(with: text.utf8) }
        // Matroska, MPEG-PS, MPEG-TS (a sync byte every 188 bytes).
        let isOtherVideo =
            start.starts(with: [0x1A, 0x45, 0xDF, 0xA3]) || start.starts(with: [0, 0, 1, 0xBA])
            || start.count > 188 && start[0] == 0x47 && start[188] == 0x47
        if PictureSignature.begins(start) {
            self = .picture
        } else if Self.isMP4(start) || has("RIFF") && has("AVI ", at: 8) || has("FLV") || has("OggS") || isOtherVideo {
            self = .video
        } else {
            return nil
        }
    }

    /// HEIC and AVIF are pictures in the same container, which nobody here takes.
    private static func isMP4(_ start: [UInt8]) -> Bool {
        let kind = String(decoding: start.dropFirst(4).prefix(4), as: UTF8.self)
        let brand = String(decoding: start.dropFirst(8).prefix(4), as: UTF8.self)
        return ["ftyp", "moov", "mdat", "wide"].contains(kind)
            && !["heic", "heix", "mif1", "avif", "avis"].contains(brand)
    }

    /// Of a regular file; nil: it is none, cannot be read, or nothing that is known here.
    init?(ofFile path: String) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        self.init(descriptor: descriptor)
    }

    /// The same of one that is open; where it is read from next stays as it is.
    init?(descriptor: Int32) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return nil }
        self.init(bytes.prefix(count))
    }
}
