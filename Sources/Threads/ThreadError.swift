import Glibc

/// The system gives no thread: there are as many as it allows, or there is no memory for its stack.
package struct ThreadError: Error, Sendable, CustomStringConvertible {
    package let name: String
    /// Of the system.
    package let code: Int32

    package var description: String {
        "cannot start the thread '\(name)': " + (unsafe String(cString: strerror(code)))
    }
}
