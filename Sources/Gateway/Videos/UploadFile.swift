import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// A file that grows as it comes, and is removed unless it comes to its end.
///
/// One task writes. The owner calls `discard` in the end, also behind `commit`, where it does nothing.
final class UploadFile: Sendable {
    let path: String
    private let descriptor: Mutex<CInt?>

    /// - Throws: `IOError`.
    static func create(_ path: String) async throws -> UploadFile {
        try await NIOThreadPool.singleton.runIfActive {
            let descriptor = unsafe open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "open") }
            return UploadFile(path, descriptor)
        }
    }

    private init(_ path: String, _ descriptor: CInt) {
        self.path = path
        self.descriptor = Mutex(descriptor)
    }

    /// - Throws: `IOError`, ENOSPC where the disk is full.
    func write(_ bytes: ByteBuffer) async throws {
        try await onDescriptor { descriptor in
            var rest = bytes
            while rest.readableBytes > 0 {
                let count = unsafe rest.withUnsafeReadableBytes {
                    unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw IOError(errnoCode: count < 0 ? errno : EIO, reason: "write") }
                rest.moveReaderIndex(forwardBy: count)
            }
        }
    }

    /// Once this returns, the file is whole, on disk, and under its new name.
    func commit(as name: String) async throws {
        try await onDescriptor { descriptor in
            guard fsync(descriptor) == 0 else { throw IOError(errnoCode: errno, reason: "fsync") }
            guard unsafe rename(self.path, name) == 0 else { throw IOError(errnoCode: errno, reason: "rename") }
        }
        close()
    }

    /// Quick: also for a task that is cancelled.
    func discard() {
        guard close() else { return }
        unsafe unlink(path)
    }

    /// - Returns: whether it was open.
    @discardableResult
    private func close() -> Bool {
        guard let descriptor = self.descriptor.withLock({ $0.take() }) else { return false }
        Glibc.close(descriptor)
        return true
    }

    private func onDescriptor(_ body: @Sendable @escaping (CInt) throws -> Void) async throws {
        try await NIOThreadPool.singleton.runIfActive {
            guard let descriptor = self.descriptor.withLock({ $0 }) else {
                throw IOError(errnoCode: EBADF, reason: "write")
            }
            try body(descriptor)
        }
    }
}
