import Foundation
import Glibc
import NIOCore

/// A file that grows as it comes, and is gone in the end unless it was committed.
///
///     try await UploadFile.with(path) { file in
///         for try await part in upload { try await file.write(part) }
///         try await file.commit(as: name)
///     }
struct UploadFile: Sendable {
    let path: String
    /// Open while `with` runs its body.
    private let descriptor: CInt

    /// - Throws: `IOError`, and what `body` throws.
    static func with<Value: Sendable>(
        _ path: String, _ body: (UploadFile) async throws -> Value
    ) async throws -> Value {
        let descriptor = try await BlockingCall.run {
            let descriptor = unsafe open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "open") }
            return descriptor
        }
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body(UploadFile(path: path, descriptor: descriptor)))
        } catch {
            outcome = .failure(error)
        }
        await BlockingCall.run {
            close(descriptor)
            // Has another name by now if it was committed.
            unsafe unlink(path)
        }
        return try outcome.get()
    }

    /// - Throws: `IOError`, ENOSPC where the disk is full.
    func write(_ bytes: ByteBuffer) async throws {
        try await BlockingCall.run { [descriptor] in
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

    /// Once this returns, the file is whole, on disk, and under its new name, in the same folder.
    func commit(as name: String) async throws {
        try await BlockingCall.run { [descriptor, path] in
            guard fsync(descriptor) == 0 else { throw IOError(errnoCode: errno, reason: "fsync") }
            guard unsafe rename(path, name) == 0 else { throw IOError(errnoCode: errno, reason: "rename") }
            do {
                try VideoFolder.keepNames(of: (name as NSString).deletingLastPathComponent)
            } catch {
                unsafe unlink(name)
                throw error
            }
        }
    }
}
