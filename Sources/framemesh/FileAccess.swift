import Glibc

/// What this process may do with files.
enum FileAccess {
    /// Why a file cannot be read; nil: it can.
    static func objection(toReading path: String) -> String? { objection(path, R_OK) }

    /// Why a file cannot be written, or one be made in a folder (with `/` behind it, so that a file is none); nil: it can.
    static func objection(toWriting path: String) -> String? { objection(path, W_OK) }

    private static func objection(_ path: String, _ mode: Int32) -> String? {
        guard unsafe access(path, mode) != 0 else { return nil }
        let reason = unsafe String(cString: strerror(errno))
        return String(reason.prefix(1)).lowercased() + String(reason.dropFirst())
    }
}
