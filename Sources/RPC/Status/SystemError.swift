import Foundation
import HTTP2
import NIOCore
import NIOPosix
import NIOSSL

/// What the operating system said, as a person would.
package enum SystemError {
    package static func text(_ error: any Error) -> String {
        switch error {
        case let error as IOError: text(errno: error.errnoCode)
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { text($0.error) } ?? error.dnsAError.map { text($0) }
                ?? error.dnsAAAAError.map { text($0) } ?? "no address"
        case let error as SocketAddressError.UnknownHost: inSentence(error.errorDescription)
        case let error as HTTP2Error: error.message
        case let error as RPCError: error.cause.map { text($0) } ?? error.message
        case let error as ChannelError: words(of: error)
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: TLSTrouble.text(error)
        default: posixCode(error).map { text(errno: $0) } ?? "\(error)"
        }
    }

    /// For the log, where the code of a call or a connection is of use, too.
    package static func forLog(_ error: any Error) -> String {
        switch error {
        case is RPCError, is HTTP2Error: "\(error)"
        default: text(error)
        }
    }

    private static func words(of error: ChannelError) -> String {
        switch error {
        case .connectTimeout(let limit): "no answer within \(Double(limit.nanoseconds) / 1e9) s"
        case .eof, .inputClosed, .outputClosed, .ioOnClosedChannel, .alreadyClosed: "the connection is closed"
        default: inSentence("\(error)")
        }
    }

    /// Of an error of Foundation, some of which are structures and some objects, or of what caused it.
    private static func posixCode(_ error: Any?) -> Int32? {
        switch error {
        case let error as POSIXError: error.code.rawValue
        case let error as NSError where error.domain == NSPOSIXErrorDomain: Int32(exactly: error.code)
        case let error as NSError: posixCode(error.userInfo[NSUnderlyingErrorKey])
        // Behind the objects, any of which passes for this, whatever its domain.
        case let error as CocoaError: posixCode(error.underlying)
        default: nil
        }
    }

    package static func text(errno code: Int32) -> String { inSentence(unsafe String(cString: strerror(code))) }

    private static func inSentence(_ text: String) -> String { text.prefix(1).lowercased() + text.dropFirst() }
}

extension IOError {
    /// The kernel gave the peer up, which acknowledged nothing or took nothing (TCP_USER_TIMEOUT).
    var isOfSilentPeer: Bool { errnoCode == ETIMEDOUT }
}
