import Foundation

/// What the system calls an error.
enum Errno {
    static func text(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}
