import Foundation
import Glibc
import RPC

/// What this process may do with files, and why not: the system's words.
enum FileAccess {
    /// Why a file cannot be read; nil: it can.
    static func objection(toReading path: String) -> String? { objection(path, R_OK) }

    /// Why a file cannot be written, or one be made in a folder (with `/` behind it, so that a file is none); nil: it can.
    static func objection(toWriting path: String) -> String? { objection(path, W_OK) }

    /// Why no file can be made where there is none; nil: it can, and none is left behind. Who may write to a folder may not make
    /// every name in it. Through a symbolic link to nothing it would be made where that leads to.
    static func objection(toMaking path: String) -> String? {
        guard let place = end(ofLinks: path) else { return SystemError.text(errno: ELOOP) }
        let descriptor = unsafe open(place, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return errno == EEXIST ? nil : SystemError.text(errno: errno) }
        close(descriptor)
        unsafe unlink(place)
        return nil
    }

    /// Where symbolic links lead to in the end, though nothing is there; nil: nowhere, they go round.
    static func end(ofLinks path: String) -> String? {
        var place = path
        for _ in 0...maxLinks {
            guard let next = target(ofLink: place) else { return place }
            place = next
        }
        return nil
    }

    /// One behind the other, as many as Linux follows.
    private static let maxLinks = 40

    /// - Returns: nil: it is no symbolic link.
    private static func target(ofLink path: String) -> String? {
        guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else { return nil }
        if target.hasPrefix("/") { return target }
        // Not by `URL`, which takes `..` for the folder before it, link or not.
        return (path.lastIndex(of: "/").map { String(path[...$0]) } ?? "") + target
    }

    /// Blocks. What is there is replaced.
    /// - Returns: why it could not be written whole; nil: it was.
    static func write(_ text: String, to path: String) -> String? {
        let descriptor = unsafe open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { return SystemError.text(errno: errno) }
        let trouble = Console.write(text, to: descriptor)
        // Of a file elsewhere it may turn out only now.
        let late = close(descriptor) == 0 ? nil : errno
        return (trouble ?? late).map { SystemError.text(errno: $0) }
    }

    private static func objection(_ path: String, _ mode: Int32) -> String? {
        guard unsafe access(path, mode) != 0 else { return nil }
        return SystemError.text(errno: errno)
    }
}
