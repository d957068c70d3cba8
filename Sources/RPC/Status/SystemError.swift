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
        case let error as HTTP2Error: error.message
        case let error as RPCError: error.cause.map { text($0) } ?? error.message
        case let error as ChannelError:
            if case .connectTimeout(let limit) = error {
                "no answer within \(Double(limit.nanoseconds) / 1e9) s"
            } else {
                "\(error)"
            }
        case is NIOSSLError, is BoringSSLError: TLSTrouble.text(error)
        case let error as CocoaError: posixCode(under: error).map { text(errno: $0) } ?? "\(error)"
        default: "\(error)"
        }
    }

    private static func posixCode(under error: CocoaError) -> Int32? {
        guard let cause = unsafe error.userInfo[NSUnderlyingErrorKey] as? NSError, cause.domain == NSPOSIXErrorDomain
        else {
            return nil
        }
        return Int32(exactly: cause.code)
    }

    static func text(errno code: Int32) -> String {
        let text = unsafe String(cString: strerror(code))
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}

extension IOError {
    /// The kernel gave the peer up, which acknowledged nothing or took nothing (TCP_USER_TIMEOUT).
    var isOfSilentPeer: Bool { errnoCode == ETIMEDOUT }
}
