import Glibc
import NIOCore
import NIOPosix

/// Reads the bytes of a picture, whole and at once.
enum PictureFile {
    /// A frame travels as one attachment, and this is the largest that nodes take.
    static let maxBytes = 64 << 20
    /// Room for standard input, whose size is not known.
    private static let readBytes = 256 << 10

    /// Off the threads that other tasks need: a pipe or a network disk may take its time.
    /// - Throws: `Fatal`, a reason that goes without the file's name.
    /// - Parameter isEncoded: it is to be a JPEG and the like, so a video is refused by name.
    static func read(_ source: PictureSource, isEncoded: Bool = false) async throws -> ByteBuffer {
        try await NIOThreadPool.singleton.runIfActive {
            let bytes = try readNow(source, isEncoded: isEncoded)
            if isEncoded, FileSignature(bytes.readableBytesView) == .video { throw isVideo }
            return bytes
        }
    }

    private static let isVideo = Fatal("is a video: `framemesh video` sends the frames of one")

    /// On this thread, which may wait for the disk.
    /// - Throws: `Fatal`, a reason that goes without the file's name.
    static func readNow(_ source: PictureSource, isEncoded: Bool = false) throws -> ByteBuffer {
        guard case .file(let path) = source else { return try read(descriptor: STDIN_FILENO, size: nil) }
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Fatal("cannot open the file: \(lastError())") }
        defer { close(descriptor) }
        // Before its size is too large.
        if isEncoded, FileSignature(descriptor: descriptor) == .video { throw isVideo }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw Fatal("cannot read the file: \(lastError())") }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: throw Fatal("is a directory")
        case S_IFREG: return try read(descriptor: descriptor, size: Int(status.st_size))
        default: return try read(descriptor: descriptor, size: nil)
        }
    }

    private static func read(descriptor: Int32, size: Int?) throws -> ByteBuffer {
        if let size, size > maxBytes { throw tooLarge("\(size) bytes") }
        // One byte more than the file has, so that the last read sees its end.
        var buffer = ByteBufferAllocator().buffer(capacity: size.map { $0 + 1 } ?? readBytes)
        while true {
            let count = try unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { space in
                while true {
                    let count = unsafe Glibc.read(descriptor, space.baseAddress, space.count)
                    if count >= 0 { return count }
                    if errno != EINTR { throw Fatal("cannot read the file: \(lastError())") }
                }
            }
            if count == 0 {
                if buffer.readableBytes == 0 { throw Fatal("the file is empty (0 bytes)") }
                return buffer
            }
            if buffer.readableBytes > maxBytes { throw tooLarge("more") }
            if buffer.writableBytes == 0 { buffer.reserveCapacity(minimumWritableBytes: readBytes) }
        }
    }

    private static func tooLarge(_ what: String) -> Fatal { Fatal("the file has \(what), limit \(maxBytes) bytes") }

    private static func lastError() -> String { unsafe String(cString: strerror(errno)) }
}
