import Glibc
import NIOCore

/// What the operating system said, as a person would.
enum SystemErrorText {
    static func of(_ error: any Error) -> String {
        guard let error = error as? IOError else { return "\(error)" }
        let text = unsafe String(cString: strerror(error.errnoCode))
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}
